import t from 'tap';
import { Authority, revokedSerials } from '../../../core/certificates/authority.ts';
import { fromPem, toPem } from '../../../core/certificates/pem.ts';
import { RevocationList } from '../../../core/certificates/revocation-list.ts';
import { readRevocations } from '../../../core/process/tls/revocations.ts';

t.test('a list has the serial numbers, and when it should be replaced', async (t) => {
  const authority = await Authority.make('One of a test', 30);
  const first = await authority.revoke(undefined, ['01', '7f', '80', '0001']);
  const text = await authority.revoke(first, ['0a', '7f']);
  t.same(
    [...revokedSerials(text)],
    [1n, 0x7fn, 0x80n, 1n, 0x0an].filter((n, i, all) => all.indexOf(n) === i),
  );
  const [der] = fromPem('X509 CRL', text);
  const list = new RevocationList(der as Buffer);
  t.ok(Math.abs((list.entries.at(-1)?.atMs ?? 0) - Date.now()) < 600_000, 'when it was revoked');
  t.equal(list.issuer, 'One of a test');
  t.equal(list.nextUpdateMs, Date.parse(authority.certificate.validTo));
  t.equal(list.isSignedBy(authority.certificate.publicKey), true);
  const other = await Authority.make('Another', 30);
  t.equal(list.isSignedBy(other.certificate.publicKey), false);
  t.throws(() => readRevocations(text, [other.certificate]), /number 1, of One of a test.*no authority/);
  t.equal(readRevocations(text, [other.certificate, authority.certificate]).revoked.size, 4);
});

t.test('a list that is changed, cut off or something else is refused', async (t) => {
  const authority = await Authority.make('One of a test', 30);
  const [der = Buffer.alloc(0)] = fromPem('X509 CRL', await authority.revoke(undefined, ['01', '02']));
  const trust = [authority.certificate];
  const read = (bytes: Buffer) => readRevocations(toPem('X509 CRL', bytes), trust);
  t.equal(read(der).revoked.size, 2);
  for (let at = 0; at < der.length; at += 7) {
    const changed = Buffer.from(der);
    changed[at] = (changed[at] ?? 0) ^ 0x21;
    t.throws(() => read(changed), /has a list \(number 1/, `byte ${at}`);
    t.throws(() => read(der.subarray(0, at)), /has a list \(number 1|has no revocation list/, `cut off at ${at}`);
  }
  t.throws(() => read(authority.certificate.raw), /has a list \(number 1.* cannot be read/);
});

t.test('an authority of one’s own revokes thousands of certificates', async (t) => {
  const authority = await Authority.make('One of a test', 30);
  const serials = Array.from({ length: 6_000 }, (_, i) => (0x100000 + i).toString(16));
  const half = await authority.revoke(undefined, serials.slice(0, 3_000));
  t.equal(revokedSerials(await authority.revoke(half, serials)).size, serials.length);
});

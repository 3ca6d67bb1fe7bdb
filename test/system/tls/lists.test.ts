import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Authority } from '../../../core/certificates/authority.ts';
import { readRevocations } from '../../../core/process/tls/revocations.ts';

t.test('lists of OpenSSL with thousands of entries are read, with keys of every kind', async (t) => {
  const folder = t.testdir();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const conf = `[ca]\ndefault_ca=one\n[one]\ndatabase=index.txt\ndefault_md=default\ndefault_crl_days=30\n`;
  for (const [name, kind] of [
    ['ec', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['rsa', ['-newkey', 'rsa:2048']],
    ['ed25519', ['-newkey', 'ed25519']],
  ] as const) {
    const count = 20_000;
    const rows = Array.from({ length: count }, (_, i) => {
      const serial = (0x100000 + i).toString(16).toUpperCase();
      return `R\t301231235959Z\t250101000000Z${i % 2 ? ',keyCompromise' : ''}\t${serial}\tunknown\t/CN=d-${i}\n`;
    });
    writeFileSync(join(folder, 'index.txt'), rows.join(''));
    writeFileSync(join(folder, 'ca.cnf'), conf);
    openssl(
      'req',
      '-x509',
      '-nodes',
      ...kind,
      '-subj',
      `/O=Hall/CN=${name}`,
      '-days',
      '30',
      '-keyout',
      'k.pem',
      '-out',
      'c.pem',
    );
    openssl('ca', '-config', 'ca.cnf', '-gencrl', '-keyfile', 'k.pem', '-cert', 'c.pem', '-out', 'l.pem');
    const ca = new X509Certificate(readFileSync(join(folder, 'c.pem')));
    const { revoked, nextUpdateMs = 0 } = readRevocations(readFileSync(join(folder, 'l.pem'), 'utf8'), [ca]);
    t.equal(revoked.size, count, name);
    t.ok(nextUpdateMs > Date.now());
  }
});

t.test('OpenSSL reads the list of an authority of one’s own', async (t) => {
  const authority = await Authority.make('One of a test', 30);
  const text = await authority.revoke(await authority.revoke(undefined, []), [
    '01',
    'ff',
    '4a3b2c1d0e0f101112131415161718',
  ]);
  const folder = t.testdir({ 'ca.pem': authority.issued.certificate, 'crl.pem': text });
  const args = ['crl', '-in', 'crl.pem', '-CAfile', 'ca.pem', '-verify', '-noout', '-text'];
  const { stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  t.match(stderr, /verify OK/);
  for (const serial of ['01', 'FF', '4A3B2C1D0E0F101112131415161718']) t.match(stdout, `Serial Number: ${serial}`);
  t.match(stdout, /Version 2 \(0x1\)[\s\S]*Issuer: CN ?= ?One of a test[\s\S]*CRL Number/);
});

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync } from 'node:fs';
import t from 'tap';
import { Authority } from '../../../core/certificates/authority.ts';
import { loadX509 } from '../../../core/certificates/x509.ts';
import { ConfigError, readConfig } from '../../../core/config/config.ts';
import { readMaterial, TlsError, type TlsFiles } from '../../../core/process/tls/material.ts';
import { namesOf, Trust } from '../../../core/process/tls/trust.ts';
import { hall } from '../../support/hall.ts';

const NONE: TlsFiles = { tlsCert: '', tlsKey: '', tlsCa: '', tlsCrl: '' };

async function problemsOf(files: TlsFiles): Promise<string> {
  try {
    await readMaterial(files);
    return '';
  } catch (error) {
    if (error instanceof TlsError) return error.message;
    throw error;
  }
}

t.test('what is wrong with a file is said with its setting, its path and what is expected', async (t) => {
  const h = await hall(t);
  const files = { ...NONE, ...h.mutual };
  t.equal(await problemsOf(files), '');
  const other = await h.authority.forServer(['localhost'], 1);
  const expired = await h.authority.forServer(['old.example'], -1);
  const key = createPrivateKey(other.key);
  const der = new X509Certificate(other.certificate).raw.toString('latin1');
  h.write('other.crt', other.certificate);
  h.write('other.key', other.key);
  h.write('expired.crt', expired.certificate);
  h.write('empty', '');
  h.write('der', der);
  h.write(
    'locked.key',
    key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
  );
  h.write('chain.crt', h.ca + other.certificate);
  h.write('broken.crt', other.certificate.replace(/^M/m, 'A'));
  h.write('foreign.pem', await (await Authority.make('Another', 1)).revoke(undefined, []));
  const cases: [Partial<TlsFiles>, RegExp][] = [
    [{ tlsCert: h.at('none') }, /^POLLCAST_TLS_CERT: .*none cannot be read \(ENOENT\); expected the path/],
    [{ tlsCert: h.at('') }, /^POLLCAST_TLS_CERT: .* cannot be read \(EISDIR\)/],
    [{ tlsCert: h.at('empty') }, /^POLLCAST_TLS_CERT: .*empty does not contain the certificate; expected PEM/],
    [{ tlsCert: h.at('der') }, /^POLLCAST_TLS_CERT: .*der does not contain the certificate; expected PEM/],
    [
      { tlsCert: h.at('broken.crt') },
      /^POLLCAST_TLS_CERT: .*broken.crt has a certificate \(number 1\) that cannot be read/,
    ],
    [
      { tlsCert: h.at('expired.crt') },
      /^POLLCAST_TLS_CERT: .*expired.crt has expired: .*old.example was valid until \d{4}-/,
    ],
    [
      { tlsCert: h.at('other.crt') },
      /^POLLCAST_TLS_KEY: .*server.key is not the key of the certificate in .*other.crt/,
    ],
    [{ tlsCert: h.at('chain.crt'), tlsKey: h.at('other.key') }, /begins with another certificate/],
    [{ tlsKey: h.at('none') }, /^POLLCAST_TLS_KEY: .*none cannot be read \(ENOENT\)/],
    [{ tlsKey: h.at('server.crt') }, /^POLLCAST_TLS_KEY: .*server.crt is not a private key/],
    [{ tlsKey: h.at('locked.key') }, /^POLLCAST_TLS_KEY: .*locked.key is encrypted; .*openssl pkey/],
    [{ tlsCa: h.at('other.crt') }, /^POLLCAST_TLS_CA: .*other.crt has a certificate that is not of an authority/],
    [{ tlsCa: h.at('empty') }, /^POLLCAST_TLS_CA: .*empty does not contain the authorities/],
    [{ tlsCrl: h.at('ca.crt') }, /^POLLCAST_TLS_CRL: .*ca.crt has no revocation list/],
    [{ tlsCrl: h.at('foreign.pem') }, /^POLLCAST_TLS_CRL: .*foreign.pem .*no authority in POLLCAST_TLS_CA has signed/],
  ];
  for (const [change, expected] of cases) t.match(await problemsOf({ ...files, ...change }), expected);
  const all = await problemsOf({ ...files, tlsCert: h.at('none'), tlsKey: h.at('none'), tlsCa: h.at('none') });
  t.equal(all.split('\n').length, 3, 'all problems at once');
});

t.test('a private key that others can read is warned of', async (t) => {
  const h = await hall(t);
  t.same((await readMaterial({ ...NONE, ...h.server })).warnings, []);
  chmodSync(h.at('server.key'), 0o644);
  t.match((await readMaterial({ ...NONE, ...h.server })).warnings, [
    /every account .* can read .*server.key; run chmod/,
  ]);
});

t.test('settings that do not go together', async (t) => {
  const problems = (flags: Parameters<typeof readConfig>[0]) => {
    try {
      readConfig(flags, {});
      return '';
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };
  t.match(problems({ tlsCert: 'a' }), /^POLLCAST_TLS_KEY: required/);
  t.match(problems({ tlsKey: 'a' }), /^POLLCAST_TLS_CERT: required/);
  t.match(problems({ tlsCa: 'a' }), /^POLLCAST_TLS_CA: only works with TLS/);
  t.match(problems({ tlsCert: 'a', tlsKey: 'a', tlsCrl: 'a' }), /^POLLCAST_TLS_CRL: only works with/);
  t.match(problems({ tlsClients: 'required' }), /^POLLCAST_TLS_CLIENTS: /);
  t.match(problems({ tlsClients: 'some' }), /optional, required/);
  t.match(problems({ mqttPort: 'off' }), /^POLLCAST_MQTT_PORT: off only works with TLS/);
  t.match(problems({ mqttPort: 'none' }), /a whole number from 0 to 65535, or off/);
  t.equal(problems({ tlsCert: 'a', tlsKey: 'a', mqttPort: 'off' }), '');
});

t.test('the names in a certificate are exactly those that it has', async (t) => {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificateOf = async (cn: string[], names: { type: 'dns' | 'email' | 'url'; value: string }[]) => {
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: cn.map((one) => ({ CN: [one] })),
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
    });
    return new X509Certificate(made.toString('pem'));
  };
  const dns = (value: string) => ({ type: 'dns' as const, value });
  t.same(namesOf(await certificateOf(['seat-1'], [])), ['seat-1']);
  t.same(namesOf(await certificateOf(['a', 'b'], [dns('c'), dns('a')])), ['a', 'b', 'c']);
  t.same(namesOf(await certificateOf(['a, DNS:x'], [])), ['a, DNS:x'], 'one name');
  for (const [type, value] of [
    ['email', 'a, DNS:x'],
    ['url', 'urn:a, DNS:x, b'],
    ['dns', 'a, DNS:x'],
    ['dns', 'a", DNS:x, "'],
    ['email', 'a\u0000, DNS:x'],
  ] as const) {
    t.notOk(namesOf(await certificateOf(['a'], [{ type, value }])).includes('x'), `${type} ${JSON.stringify(value)}`);
  }
});

t.test('certificates are good until they are revoked, or their authority is gone', async (t) => {
  const h = await hall(t);
  const files = { ...NONE, ...h.mutual };
  const { trust } = await readMaterial(files);
  const { cert } = await h.device('seat-1');
  const known = trust?.read(new X509Certificate(cert));
  t.same(known?.names, ['seat-1']);
  if (!known) return;
  t.ok(trust?.isGood(known));
  t.notOk(new Trust([], new Set()).isGood(known));
  await h.revoke((await h.device('seat-2')).cert);
  t.ok((await readMaterial(files)).trust?.isGood(known), 'another one was revoked');
  await h.revoke(cert);
  const after = (await readMaterial(files)).trust;
  t.notOk(after?.isGood(known));
  t.equal(after?.read(new X509Certificate(cert)), undefined);
  const foreign = await (await hall(t)).device('seat-1');
  t.equal(after?.read(new X509Certificate(foreign.cert)), undefined);
});

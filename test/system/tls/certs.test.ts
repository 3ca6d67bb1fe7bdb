/** `pollcast certs`: everything that a hall without internet needs. */

import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t from 'tap';
import { emptyFolder } from '../../support/folder.ts';
import { endOf } from '../../support/hall.ts';
import { pollcast } from '../../support/process.ts';
import { stage } from '../../support/stage.ts';

t.test('make, use, renew and revoke', async (t) => {
  const dir = join(emptyFolder(t), 'certs');
  const certs = async (...args: string[]) => {
    const { code, stdout, stderr } = await pollcast(['certs', ...args, '--dir', dir]);
    return { code, text: stdout, error: stderr };
  };
  const at = (...names: string[]) => join(dir, ...names);

  const early = await certs('device', 'seat-1');
  t.match([early.code, early.error], [1, /has no authority .*run `pollcast certs make` first/]);
  const made = await certs('make', '--name', 'votes.example', '--name', '10.9.8.7');
  t.equal(made.code, 0, made.error);
  const ca = new X509Certificate(readFileSync(at('ca.crt')));
  t.match(made.text, ca.fingerprint256);
  t.match(made.text, '█', 'a QR code');
  t.match(readFileSync(at('fingerprint.html'), 'utf8'), /<svg/);
  const server = new X509Certificate(readFileSync(at('server.crt')));
  t.ok(server.verify(ca.publicKey) && server.checkIssued(ca));
  for (const name of ['votes.example', 'localhost']) t.equal(server.checkHost(name), name);
  for (const address of ['10.9.8.7', '127.0.0.1']) t.equal(server.checkIP(address), address);
  t.equal((await certs('device', 'seat-1', 'seat-2')).code, 0);
  for (const file of ['ca.key', 'server.key', 'crl.pem', 'devices/seat-1.key']) {
    t.equal(statSync(at(file)).mode & 0o777, 0o600, file);
  }
  t.equal(statSync(dir).mode & 0o777, 0o700);

  const files = { tlsCert: at('server.crt'), tlsKey: at('server.key'), tlsCa: at('ca.crt'), tlsCrl: at('crl.pem') };
  const s = await stage(t, { ...files, door: 'devices' });
  await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
  const own = { cert: readFileSync(at('devices/seat-1.crt')), key: readFileSync(at('devices/seat-1.key')) };
  const login = { clientId: 'seat-1', ca: readFileSync(at('ca.crt')), reconnectPeriod: 0, ...own };
  const live = await mqtt.connectAsync(s.mqtt, login, false);
  live.on('error', () => {});

  const again = await certs('device', 'seat-1');
  t.match([again.code, again.error], [1, /is valid until .*run `pollcast certs revoke seat-1` first/]);
  t.equal((await certs('make')).code, 0, 'renewing the certificate of the server');
  t.equal(new X509Certificate(readFileSync(at('ca.crt'))).fingerprint256, ca.fingerprint256, 'keeps the authority');
  t.not(new X509Certificate(readFileSync(at('server.crt'))).serialNumber, server.serialNumber);
  t.ok(live.connected);

  const closed = endOf(live);
  const revoked = await certs('revoke', 'seat-1');
  t.equal(revoked.code, 0, revoked.error);
  await closed;
  await t.rejects(mqtt.connectAsync(s.mqtt, login, false));
  t.equal((await certs('device', 'seat-1')).code, 0, 'a new one after that');
  const next = { cert: readFileSync(at('devices/seat-1.crt')), key: readFileSync(at('devices/seat-1.key')) };
  const back = await mqtt.connectAsync(s.mqtt, { ...login, ...next }, false);
  await back.endAsync(true);
  t.notOk(readdirSync(dir, { recursive: true }).some((name) => String(name).endsWith('.new')));
});

t.test('mistakes are named, and write nothing', async (t) => {
  const dir = join(emptyFolder(t), 'certs');
  for (const [args, expected] of [
    [['make', '--days', '0'], /--days: expected a whole number from 1 to 825/],
    [['make', '--days', '900'], /--days/],
    [['make', '--name', 'a b'], /--name: expected a host name or an IP address/],
    [['make', '--name', 'https://x.org'], /--name/],
    [['revoke', 'seat-1'], /has no certificate of "seat-1"/],
    [['revoke', '../x'], /has no certificate of/],
  ] as const) {
    const { code, stderr } = await pollcast(['certs', ...args, '--dir', dir]);
    t.match([code, stderr], [1, expected], args.join(' '));
  }
  t.throws(() => readdirSync(dir), 'nothing was written');
  t.equal((await pollcast(['certs', 'make', '--dir', dir])).code, 0);
  const bad = await pollcast(['certs', 'device', 'good', '../x', '--dir', dir]);
  t.match([bad.code, bad.stderr], [1, /"\.\.\/x" is not an id: expected 1 to 64 characters/]);
  t.notOk(readdirSync(dir).includes('devices'), 'all or none');
});

t.test('a server does not start with wrong files, and says everything that is wrong', async (t) => {
  const dir = emptyFolder(t);
  const env = {
    POLLCAST_TLS_CERT: join(dir, 'a.crt'),
    POLLCAST_TLS_KEY: join(dir, 'a.key'),
    POLLCAST_DATA_DIR: join(dir, 'data'),
  };
  const { code, stderr } = await pollcast(['up'], env);
  t.equal(code, 2);
  t.match(
    stderr,
    /could not start: POLLCAST_TLS_CERT: .*a.crt cannot be read \(ENOENT\).*\n {2}POLLCAST_TLS_KEY: .*a.key cannot/,
  );
});

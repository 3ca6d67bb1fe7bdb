/** Certificates are replaced without a restart, and without a connection noticing. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import tls from 'node:tls';
import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Hall, hall } from '../../support/hall.ts';
import { type Stage, stage } from '../../support/stage.ts';

/** The fingerprint of the certificate that a port shows. */
async function shownAt(port: number, { ca }: Hall): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

function bothShow(s: Stage, h: Hall, certificate: string): Promise<true> {
  const { fingerprint256 } = new X509Certificate(certificate);
  return eventually('the new certificate', async () => {
    const { mqttsPort, httpPort } = s.pollcast;
    const shown = await Promise.all([mqttsPort, httpPort].map((port) => shownAt(port, h)));
    return shown.every((one) => one === fingerprint256) || undefined;
  });
}

async function metric(s: Stage, name: string): Promise<number> {
  const { body } = await s.call('GET', '/metrics');
  return Number(body.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1]);
}

t.test('a new certificate is used at once, and open connections stay', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  await s.openPoll('q');
  const device = await s.device('d');
  for (let i = 0; i < 3; i++) {
    const { certificate } = await h.renew();
    await bothShow(s, h, certificate);
  }
  await device.vote('vote/q', 'a');
  t.equal((await s.resultAfter('q', 1)).votes, 1, 'over the connection from before');
  t.ok((await metric(s, 'pollcast_tls_reloads_total{outcome="ok"}')) >= 3);
});

t.test('wrong files change nothing, and are named', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  const good = await h.renew();
  await bothShow(s, h, good.certificate);
  const other = await h.authority.forServer(['localhost', '127.0.0.1'], 30);
  const expired = await h.authority.forServer(['localhost', '127.0.0.1'], -1);
  for (const [name, text] of [
    ['server.crt', other.certificate],
    ['server.crt', expired.certificate],
    ['server.crt', 'not a certificate'],
    ['server.key', other.key],
    ['server.key', ''],
  ] as const) {
    h.write(name, text);
    await eventually('the failure', async () => (await metric(s, 'pollcast_tls_reload_failed')) === 1 || undefined);
    await bothShow(s, h, good.certificate);
    h.write('server.crt', good.certificate);
    h.write('server.key', good.key);
    await eventually('the end of it', async () => (await metric(s, 'pollcast_tls_reload_failed')) === 0 || undefined);
  }
});

t.test('SIGHUP reads everything again, also what does not look changed', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  const before = await metric(s, 'pollcast_tls_reloads_total{outcome="ok"}');
  utimesSync(h.at('server.crt'), 1, 1);
  await eventually(
    'a reload',
    async () => (await metric(s, 'pollcast_tls_reloads_total{outcome="ok"}')) > before || undefined,
  );
  const between = await metric(s, 'pollcast_tls_reloads_total{outcome="ok"}');
  process.kill(process.pid, 'SIGHUP');
  await eventually(
    'another',
    async () => (await metric(s, 'pollcast_tls_reloads_total{outcome="ok"}')) > between || undefined,
  );
});

/**
 * Revoking works on every node, also if the same name is used again at once: connections and streams end, and the old credentials
 * let nobody in. Measures how long that takes, from the operator’s request on.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { emptyFolder } from '../../support/folder.ts';
import { endOf, hall } from '../../support/hall.ts';
import { Server } from '../../support/process.ts';
import { redisServer } from '../../support/servers.ts';
import { type Credentials, type Nodes, twoNodes } from './nodes.ts';

/** How often each kind is revoked. */
const TIMES = Number(process.env.POLLCAST_REVOCATIONS ?? 10);
/** Whether the limit is demanded: on a machine that is busy with other tests, it means nothing. */
const IS_MEASUREMENT = process.env.POLLCAST_REVOCATIONS !== undefined;
const LIMIT_MS = 1_000;
/** How many devices are revoked together. */
const TOGETHER = 60;

const figures: string[] = [];

/** Revokes again and again, and notes how long it took. @param attempt resolves with the time in ms */
async function measure(t: Test, what: string, attempt: (i: number) => Promise<number>): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i < TIMES; i++) took.push(Math.round(await attempt(i)));
  took.sort((a, b) => a - b);
  const within = took.filter((ms) => ms <= LIMIT_MS).length;
  const text = `${what}: ${within} of ${TIMES} within 1 s, median ${took[TIMES >> 1]} ms, slowest ${took.at(-1)} ms`;
  figures.push(text);
  if (IS_MEASUREMENT) t.equal(within, TIMES, text);
}

/** How long it takes until everything has ended that a revocation ends, which begins now. */
async function untilEnded(revoke: () => Promise<unknown>, ends: readonly Promise<unknown>[]): Promise<number> {
  const startMs = performance.now();
  await Promise.all([revoke(), ...ends]);
  return performance.now() - startMs;
}

/** Resolves when a stream ends, in whatever way. */
function endOfStream(stream: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', () => resolve());
  });
}

const basic = ({ id, password }: Credentials) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;

/**
 * Lets a device or guest vote at a broker, opens streams as this voter, and revokes it.
 *
 * @param revoke also gives the name to somebody else at once, if that is possible
 */
async function revokeVoter(t: Test, nodes: Nodes, i: number, voter: Credentials, revoke: () => Promise<unknown>) {
  const client = await nodes.enter(t, i, voter);
  await client.publishAsync('vote/voters', 'a', { qos: 1 });
  const streams = await nodes.streams(t, '/api/polls/voters/stream', basic(voter));
  const ms = await untilEnded(revoke, [endOf(client), ...streams.map(endOfStream)]);
  for (const node of [0, 1]) {
    await t.rejects(nodes.enter(t, node, voter), `the old secret at broker ${node}`);
    const { status } = await nodes.call(node, 'GET', '/api/polls/voters/result', undefined, basic(voter));
    t.ok([401, 429].includes(status), `the old secret at dashboard ${node}: ${status}`);
  }
  return ms;
}

await t.test('every revoked device is disconnected at its broker, and its secret lets nobody in', async (t) => {
  const nodes = await twoNodes(t);
  const register = async (i: number, device: string): Promise<Credentials> => {
    const { body } = await nodes.call(i, 'POST', '/api/devices', { device });
    return { id: device, password: body.secret };
  };
  await measure(t, 'devices', async (i) => {
    const device = await register(i, `d-${i}`);
    let again = device;
    const ms = await revokeVoter(t, nodes, i, device, async () => {
      await nodes.call(i + 1, 'POST', '/api/devices/revoke', { devices: [device.id] });
      again = await register(i, device.id);
    });
    await (await nodes.enter(t, i, again)).endAsync();
    return ms;
  });

  await measure(t, 'guests', async (i) => {
    const join = async (): Promise<Credentials> => {
      const { body } = await nodes.call(i, 'POST', '/api/rooms/voters/join', {});
      return { id: body.device, password: body.password };
    };
    const guest = await join();
    const ms = await revokeVoter(t, nodes, i, guest, async () => {
      await nodes.call(i + 1, 'DELETE', `/api/guests/${guest.id}`);
      await join();
    });
    return ms;
  });

  await measure(t, 'operators', async (i) => {
    const create = async (): Promise<string> => {
      const wanted = { operator: `ann-${i}`, role: 'viewer' };
      return `Bearer ${(await nodes.call(i, 'POST', '/api/operators', wanted)).body.token}`;
    };
    const old = await create();
    const paths = ['/api/polls/staff/stream', '/api/rooms/staff/stream'];
    const streams = (await Promise.all(paths.map((path) => nodes.streams(t, path, old)))).flat();
    let [asked, again] = [Promise.resolve([{ status: 0 }]), ''];
    const ms = await untilEnded(async () => {
      await nodes.call(i + 1, 'DELETE', `/api/operators/ann-${i}`);
      // The answers to wrong tokens are held back, which is no part of what is measured.
      asked = Promise.all([0, 1].map((node) => nodes.call(node, 'GET', '/api/operator', undefined, old)));
      again = await create();
    }, streams.map(endOfStream));
    for (const { status } of await asked) t.ok([401, 429].includes(status), `the old token, at once: ${status}`);
    for (const node of [0, 1]) t.equal((await nodes.call(node, 'GET', '/api/operator', undefined, again)).status, 200);
    return ms;
  });

  const ids = Array.from({ length: TOGETHER }, (_, i) => ({ device: `seat-${i}`, group: 'hall' }));
  const { devices } = (await nodes.call(0, 'POST', '/api/devices/import', { devices: ids })).body;
  const clients = await Promise.all(
    devices.map(({ device: id, secret: password }: { device: string; secret: string }, i: number) =>
      nodes.enter(t, i, { id, password }),
    ),
  );
  const all = Promise.all(clients.map(endOf));
  t.equal((await nodes.call(0, 'POST', '/api/devices/revoke', { group: 'hall' })).body.revoked.length, TOGETHER);
  await all;
});

await t.test('every revoked certificate ends its connections at every broker, and lets nobody in', async (t) => {
  const h = await hall(t);
  const redis = await redisServer(emptyFolder(t));
  t.teardown(() => redis.program.end());
  const { tlsCert, tlsKey, tlsCa, tlsCrl } = h.mutual;
  const files = {
    POLLCAST_TLS_CERT: tlsCert,
    POLLCAST_TLS_KEY: tlsKey,
    POLLCAST_TLS_CA: tlsCa,
    POLLCAST_TLS_CRL: tlsCrl,
  };
  const env = { POLLCAST_REDIS_URL: redis.url, POLLCAST_MQTTS_PORT: '0', ...files };
  const brokers = [0, 1].map(() => new Server(emptyFolder(t), { command: 'broker', env }));
  for (const broker of brokers) t.teardown(() => broker.kill());
  await Promise.all(brokers.map((broker) => broker.start()));
  const ports = brokers.map(({ output }) => Number(/"mqtts":(\d+)/.exec(output)?.[1]));
  const enter = async (node: number, clientId: string, certificate: { cert: string; key: string }) => {
    const options = { ca: h.ca, clientId, reconnectPeriod: 0, ...certificate };
    const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${ports[node]}`, options, false);
    client.on('error', () => {});
    t.teardown(() => client.endAsync(true));
    return client;
  };
  await measure(t, 'certificates', async (i) => {
    const ids = [`d-${i}-0`, `d-${i}-1`];
    const old = await Promise.all(ids.map((id) => h.device(id)));
    const next = await h.device(`d-${i}-0`);
    const clients = await Promise.all(old.map((certificate, node) => enter(node, ids[node] as string, certificate)));
    const serials = old.map(({ cert }) => new X509Certificate(cert).serialNumber);
    const list = await h.authority.revoke(readFileSync(h.at('crl.pem'), 'utf8'), serials);
    const ms = await untilEnded(async () => h.write('crl.pem', list), clients.map(endOf));
    for (const node of [0, 1]) {
      await t.rejects(enter(node, `d-${i}-0`, old[0] as (typeof old)[0]), `the old certificate at broker ${node}`);
    }
    // A new certificate for the same device is good at once.
    await eventually('the device to be back', () => enter(i % 2, `d-${i}-0`, next).catch(() => undefined));
    return ms;
  });
});

for (const text of figures) t.pass(text);

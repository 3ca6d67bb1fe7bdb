/** Mutated packets of all types and versions never stop the broker, make it grow, or keep another device from voting. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { createWebSocketStream, WebSocket } from 'ws';
import type { Result } from '../../../../core/voting/result/result.ts';
import { eventually } from '../../../support/eventually.ts';
import { type Mutant, mutantOf } from '../../../support/network/mutants.ts';
import { Server } from '../../../support/process.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
/** How many connections send mutants; 100,000 in `npm run test:long`. Each sends one to four. */
const COUNT = Number(process.env.POLLCAST_MUTANTS ?? 3_000);
/** How many mutants lie between two votes of the good device. */
const BATCH = 100;
/** How many connections are open at once. */
const TOGETHER = 16;
/** How long (ms) a connection that the broker neither answers nor closes is kept: its packet may be incomplete. */
const QUIET_MS = 10;
/**
 * How much memory (MiB) V8 may use for what lives long. The product needs 65 MiB of it. If every connection of the long run left
 * only 1 KiB behind, it would need 100 MiB more, and the process would end.
 */
const HEAP = 128;
/** How much memory (bytes) may be in use outside of V8’s heap. */
const MAX_EXTERNAL = 64 * 2 ** 20;

t.setTimeout(3_600_000);

t.test(`${COUNT} connections with mutated packets (CHAOS_SEED=${SEED}, POLLCAST_MUTANTS=${COUNT})`, async (t) => {
  const server = new Server(t.testdir(), { env: { NODE_OPTIONS: `--max-old-space-size=${HEAP}` } });
  t.teardown(() => server.kill());
  await server.start();
  const { pid } = server;
  for (const poll of ['q', 'good-device']) await openPoll(server, poll);
  const good = await Voter.connected(server, 'good-device');
  t.teardown(() => good.close());
  const sent = new Map<string, number>();
  for (let from = 0; from < COUNT; from += BATCH) {
    const mutants = Array.from({ length: Math.min(BATCH, COUNT - from) }, (_, i) => mutantOf(SEED, from + i));
    try {
      await Promise.all([sendAll(server, mutants, sent), good.vote()]);
    } catch (error) {
      t.fail(`mutants ${from} to ${from + mutants.length - 1} of seed ${SEED}: ${(error as Error).message}`, {
        mutants: mutants.map(({ via, connect, packets }) =>
          [via, ...(connect ? [connect] : []), ...packets].map((one) => one.toString('hex')).join(' '),
        ),
        output: server.output.slice(-2_000),
      });
      return;
    }
  }
  const packets = [...sent.values()].reduce((a, b) => a + b, 0);
  t.comment(`${packets} packets of ${sent.size} kinds: types, before or after CONNECT, over TCP or WebSocket`);
  if (COUNT >= 1_000) t.equal(sent.size, 2 * 2 * 16, 'every kind of packet was sent');
  const external = await externalMemoryOf(server);
  t.ok(external < MAX_EXTERNAL, `${Math.round(external / 2 ** 20)} MiB are in use outside of the heap`);
  t.equal(server.pid, pid, 'the broker was not started again');
  t.notMatch(server.output, /"level":"(error|fatal)"/, 'no error was logged');
  const result = await eventually('the good device’s votes to be counted', async () => {
    const one = await call(server, 'GET', '/api/polls/good-device/result');
    return Number(one.votes) >= good.votes ? one : undefined;
  });
  t.match(result.accounting, { received: good.votes, counted: 1, replaced: good.votes - 1, redelivered: 0 });
  t.same(result.accounting?.rejected, {});
});

/** A device that behaves: it is never disconnected, and each of its votes is acknowledged. */
class Voter {
  private readonly stream: Duplex;
  private received = Buffer.alloc(0);
  private isClosed = false;
  votes = 0;

  private constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    stream.on('error', () => {}).on('close', () => (this.isClosed = true));
  }

  static async connected(server: Server, id: string): Promise<Voter> {
    const voter = new Voter(connect(server.mqttPort, '127.0.0.1'));
    const text = [id.length >> 8, id.length, ...Buffer.from(id)];
    voter.stream.write(Buffer.from([0x10, 10 + text.length, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, ...text]));
    await voter.next('20020000');
    return voter;
  }

  async vote(): Promise<void> {
    this.votes++;
    const packetId = [this.votes >> 8, this.votes & 0xff];
    const topic = Buffer.from('vote/good-device');
    this.stream.write(Buffer.from([0x32, 5 + topic.length, 0, topic.length, ...topic, ...packetId, 0x61]));
    await this.next(`4002${Buffer.from(packetId).toString('hex')}`);
  }

  close(): void {
    this.stream.destroy();
  }

  private async next(expected: string): Promise<void> {
    await eventually(`${expected} for the good device`, async () => {
      if (this.received.length >= expected.length / 2) return true;
      if (this.isClosed) throw new Error('the good device was disconnected');
      return undefined;
    });
    const answer = this.received.toString('hex');
    if (answer !== expected) throw new Error(`the good device got ${answer} instead of ${expected}`);
    this.received = Buffer.alloc(0);
  }
}

/** @param sent how many packets of each kind have been sent */
async function sendAll(server: Server, mutants: readonly Mutant[], sent: Map<string, number>): Promise<void> {
  const left = [...mutants];
  const work = async () => {
    for (let mutant = left.pop(); mutant; mutant = left.pop()) await send(server, mutant, sent);
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
}

async function send(server: Server, { via, connect: first, packets }: Mutant, sent: Map<string, number>) {
  const stream = via === 'tcp' ? connect(server.mqttPort, '127.0.0.1') : await webSocket(server);
  let isClosed = false;
  stream.on('error', () => {}).on('close', () => (isClosed = true));
  for (const packet of first ? [first, ...packets] : packets) {
    if (isClosed) break;
    const answer = answered(stream);
    stream.write(packet);
    const kind = `${via} ${first ? 'after' : 'before'} ${(packet[0] ?? 0) >> 4}`;
    if (packet !== first) sent.set(kind, (sent.get(kind) ?? 0) + 1);
    await answer;
  }
  stream.destroy();
}

/** Resolves after the next answer, at the end, or after a moment. */
function answered(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, QUIET_MS);
    function done() {
      clearTimeout(timer);
      for (const event of ['data', 'close', 'end']) stream.off(event, done);
      resolve();
    }
    for (const event of ['data', 'close', 'end']) stream.once(event, done);
  });
}

async function webSocket(server: Server): Promise<Duplex> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/mqtt`, 'mqtt');
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return createWebSocketStream(socket);
}

async function externalMemoryOf(server: Server): Promise<number> {
  const text = await (await fetch(`${server.http}/metrics`)).text();
  const bytes = Number(/^nodejs_external_memory_bytes(?:\{.*\})? (\S+)$/m.exec(text)?.[1]);
  if (!(bytes > 0)) throw new Error('/metrics has no nodejs_external_memory_bytes');
  return bytes;
}

async function call(server: Server, method: string, path: string, body?: object): Promise<Result> {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const response = await fetch(server.http + path, {
    method,
    headers,
    ...(body || method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Result;
}

async function openPoll(server: Server, poll: string): Promise<void> {
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  await call(server, 'POST', '/api/polls', { poll, title: poll, options, visibility: 'live' });
  await call(server, 'POST', `/api/polls/${poll}/open`);
}

import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { Generator, type GeneratorOptions } from '../../../bench/generator/generator.ts';
import { stage } from '../../support/stage.ts';

const ACCEPTED = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false });
const ack = ({ messageId }: IPublishPacket) => generate({ cmd: 'puback', messageId: messageId ?? 0 });

/** A server that answers packets of MQTT 3.1.1 with whatever `answer` sends. */
async function server(t: Test, answer: (packet: Packet, socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    const decoder = parser();
    decoder.on('packet', (packet: Packet) => answer(packet, socket));
    socket.on('data', (chunk) => decoder.parse(chunk)).on('error', () => {});
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return (listener.address() as AddressInfo).port;
}

async function connected(t: Test, options: GeneratorOptions): Promise<Generator> {
  const generator = await Generator.connect(options);
  t.teardown(() => generator.stop());
  return generator;
}

t.test('Pollcast counts exactly what the generator says was acknowledged', async (t) => {
  const s = await stage(t);
  let total = 0;
  for (const poll of ['all', 'each0', 'each1', 'each2']) await s.openPoll(poll, { room: poll });
  for (const [version, qos] of [
    [4, 1],
    [4, 2],
    [5, 1],
    [5, 2],
  ] as const) {
    const generator = await connected(t, { port: s.pollcast.mqttPort, connections: 30, version, qos });
    t.equal(generator.connected.connections, 30);
    const saturated = await generator.saturate({ topic: 'vote/all' }, 8, 0.3);
    t.ok(saturated.acknowledged >= 240 && saturated.perSecond > 0);
    const paced = await generator.pace({ topic: 'vote/all' }, 1_000, 0.25);
    t.equal(paced.acknowledged, 250);
    t.ok(paced.p50Ms > 0 && paced.p50Ms <= paced.p99Ms && paced.p99Ms <= paced.maxMs);
    const once = await generator.once({ topic: 'vote/each', count: 3 });
    t.equal(once.acknowledged, 30);
    total += saturated.acknowledged + paced.acknowledged;
    await generator.stop();
    const { accounting } = await s.resultAfter('all', total);
    t.equal((accounting?.counted ?? 0) + (accounting?.replaced ?? 0), total, `version ${version}, QoS ${qos}`);
    t.equal(accounting?.counted, 30);
  }
  for (const poll of ['each0', 'each1', 'each2']) {
    const { accounting, bars } = { bars: undefined, ...(await s.resultAfter(poll, 40)) };
    t.equal(accounting?.counted, 10, `a connection votes in one of the polls: ${JSON.stringify(bars)}`);
  }
});

t.test('latencies are as long as a server takes to acknowledge', async (t) => {
  const port = await server(t, (packet, socket) => {
    if (packet.cmd === 'connect') socket.write(ACCEPTED);
    if (packet.cmd === 'publish') setTimeout(() => socket.write(ack(packet)), 60);
  });
  const generator = await connected(t, { port, connections: 10 });
  const { p50Ms, acknowledged } = await generator.saturate({ topic: 'vote/q' }, 2, 0.2);
  t.ok(p50Ms >= 59, `${p50Ms} ms`);
  t.ok(acknowledged >= 20);
});

t.test('at a given rate, votes that a stalled server keeps from being sent count as late, too', async (t) => {
  let isStalled = false;
  const waiting: (() => void)[] = [];
  const port = await server(t, (packet, socket) => {
    if (packet.cmd === 'connect') socket.write(ACCEPTED);
    if (packet.cmd !== 'publish') return;
    const answer = () => socket.write(ack(packet));
    if (waiting.length === 0 && !isStalled) {
      isStalled = true;
      setTimeout(() => {
        isStalled = false;
        for (const one of waiting.splice(0)) one();
      }, 500);
    }
    if (isStalled) waiting.push(answer);
    else answer();
  });
  const generator = await connected(t, { port, connections: 1 });
  // One connection has at most 64 votes in flight, so 436 of 500 wait to be sent.
  const { p50Ms, acknowledged } = await generator.pace({ topic: 'vote/q' }, 1_000, 0.5);
  t.equal(acknowledged, 500);
  t.ok(p50Ms >= 200, `half of the votes were due more than 200 ms before they could be sent: ${p50Ms} ms`);
});

t.test('connections use the ids, names and secrets of a file, and vote for what they are given', async (t) => {
  const seen: IConnectPacket[] = [];
  const votes: string[] = [];
  const port = await server(t, (packet, socket) => {
    if (packet.cmd === 'connect') {
      seen.push(packet);
      socket.write(ACCEPTED);
    }
    if (packet.cmd === 'publish') {
      votes.push(`${packet.topic} ${packet.payload}`);
      socket.write(ack(packet));
    }
  });
  const devices = join(t.testdir(), 'devices.tsv');
  writeFileSync(devices, 'one\tuser-1\tsecret-1\ntwo\tuser-2\tsecret-2\n');
  const generator = await connected(t, { port, connections: 2, devices, connecting: 1, payloads: ['red', 'sky'] });
  t.same(
    seen.map(({ clientId, username, password }) => [clientId, username, String(password)]),
    [
      ['one', 'user-1', 'secret-1'],
      ['two', 'user-2', 'secret-2'],
    ],
  );
  await generator.once({ topic: 'vote/q' });
  t.same(votes.sort(), ['vote/q red', 'vote/q sky']);
});

t.test('a server that does not do its part is reported', async (t) => {
  const refusing = await server(t, (packet, socket) => {
    if (packet.cmd === 'connect') socket.write(generate({ cmd: 'connack', returnCode: 5, sessionPresent: false }));
  });
  await t.rejects(Generator.connect({ port: refusing, connections: 1 }), /refused a connection/);
  const cases: [answer: (packet: IPublishPacket, socket: Socket) => void, message: RegExp][] = [
    [(_, socket) => socket.destroy(), /closed a connection/],
    [(packet, socket) => socket.write(Buffer.concat([ack(packet), ack(packet)])), /acknowledged a vote twice/],
    [(packet, socket) => socket.write(generate(packet)), /unexpected packet/],
  ];
  for (const [answer, message] of cases) {
    const port = await server(t, (packet, socket) => {
      if (packet.cmd === 'connect') socket.write(ACCEPTED);
      if (packet.cmd === 'publish') answer(packet, socket);
    });
    const generator = await connected(t, { port, connections: 1 });
    await t.rejects(generator.saturate({ topic: 'vote/q' }, 2, 0.2), message);
  }
});

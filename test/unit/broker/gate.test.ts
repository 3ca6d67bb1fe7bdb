import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { Acknowledgements, type Pending } from '../../../broker/connection/acknowledgements.ts';
import { Flow } from '../../../broker/connection/flow.ts';
import { Gate, type GateLimits } from '../../../broker/connection/gate.ts';
import type { Receiver } from '../../../broker/connection/receiver.ts';
import { frameLength } from '../../../broker/connection/wire/frame.ts';
import { type Publish, PublishReader } from '../../../broker/connection/wire/publish.ts';
import { decodePayload } from '../../../broker/intake/payload.ts';
import { eventually } from '../../support/eventually.ts';

const LIMITS: GateLimits = { connectBytes: 64, packetBytes: 256, packetMs: 500, inFlight: 8, drainMs: 1_000 };
const CONNECT = generate({
  cmd: 'connect',
  clientId: 'd',
  protocolVersion: 4,
  protocolId: 'MQTT',
  clean: true,
  keepalive: 60,
});
const PINGREQ = generate({ cmd: 'pingreq' });
const publish = (payload = 'b') =>
  generate({ cmd: 'publish', topic: 'vote/q', payload, qos: 1, messageId: 1, dup: false, retain: false });

/** A gate on a real socket, the device’s end of the connection, and what the gate passed on: to Aedes and to the receiver. */
interface Passage {
  readonly device: Socket;
  readonly gate: Gate;
  readonly got: () => Buffer;
  readonly published: Publish[];
  readonly released: number[];
  /** Accepts the device, once CONNECT has come. */
  readonly accept: () => void;
  readonly error: Promise<Error | undefined>;
}

async function gate(t: Test, flow = new Flow(1_000)): Promise<Passage> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const device = connect((server.address() as { port: number }).port, '127.0.0.1');
  device.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const made = new Gate(socket, flow, LIMITS);
  const chunks: Buffer[] = [];
  const published: Publish[] = [];
  const released: number[] = [];
  made.on('data', (chunk: Buffer) => chunks.push(chunk));
  const error = new Promise<Error | undefined>((resolve) => {
    made.once('error', resolve).once('close', () => resolve(undefined));
  });
  t.teardown(() => {
    device.destroy();
    made.destroy();
    server.close();
  });
  const receiver: Receiver = {
    publish: (packet) => published.push(packet),
    release: (id) => released.push(id),
    heard: () => {},
  };
  const accept = () => {
    if (chunks.length > 0) made.accept(receiver);
    else made.once('data', () => made.accept(receiver));
  };
  return { device, gate: made, got: () => Buffer.concat(chunks), published, released, accept, error };
}

t.test('frame lengths are decoded as the MQTT specification defines them', async (t) => {
  t.equal(frameLength(Buffer.from([0x30, 0]), 0), 2);
  t.equal(frameLength(Buffer.from([0x30, 127]), 0), 129);
  t.equal(frameLength(Buffer.from([0x30, 0x80, 0x01]), 0), 131);
  t.equal(frameLength(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), 0), 268_435_455 + 5);
  t.equal(frameLength(Buffer.from([0x30]), 0), 0, '0 means that the length has not arrived yet');
  t.equal(frameLength(Buffer.from([0x30, 0x80]), 0), 0);
  t.equal(frameLength(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), 0), -1, '-1 means that the length is malformed');
});

t.test(
  'the first packet must be a CONNECT of limited size, and later packets wait until it has been accepted',
  async (t) => {
    for (const [bytes, why] of [
      [publish(), /CONNECT must come first/],
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /CONNECT must come first/],
      [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), /268435460 bytes exceeds the limit of 64/],
      [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]), /malformed/],
    ] as const) {
      const { device, error, got } = await gate(t);
      device.write(bytes);
      t.match((await error)?.message, why);
      t.equal(got().length, 0, 'the gate passed nothing on');
    }
    const { device, accept, got, published } = await gate(t);
    device.write(Buffer.concat([CONNECT, PINGREQ, publish(), publish()]));
    await eventually('CONNECT', async () => (got().length === CONNECT.length ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.equal(got().length, CONNECT.length, 'packets after CONNECT wait until CONNECT has been accepted');
    t.equal(published.length, 0);
    accept();
    await eventually('the remaining packets', async () => (published.length === 2 ? true : undefined));
    t.same(got(), Buffer.concat([CONNECT, PINGREQ]), 'Aedes gets everything but PUBLISH');
  },
);

t.test('a second CONNECT, of whatever version, closes the connection, and what follows it is not taken', async (t) => {
  for (const protocolVersion of [4, 5] as const) {
    const { device, accept, got, published, error } = await gate(t);
    accept();
    device.write(CONNECT);
    await eventually('CONNECT', async () => (got().length > 0 ? true : undefined));
    const fields = { clientId: 'd', protocolId: 'MQTT', clean: true, keepalive: 60 } as const;
    device.write(Buffer.concat([generate({ cmd: 'connect', protocolVersion, ...fields }), publish()]));
    t.match(await error, { message: /only once/ });
    t.same(published, []);
  }
});

t.test('packets arrive intact and in order, even if they are sent byte by byte', async (t) => {
  const { device, accept, got, published, released } = await gate(t);
  accept();
  const pubrel = generate({ cmd: 'pubrel', messageId: 258 });
  const all = Buffer.concat([CONNECT, publish(), PINGREQ, publish('x'.repeat(200)), pubrel, PINGREQ]);
  device.setNoDelay(true);
  for (const byte of all) {
    device.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('all bytes', async () => (got().length === CONNECT.length + 4 ? true : undefined));
  t.same(got(), Buffer.concat([CONNECT, PINGREQ, PINGREQ]));
  t.same(
    published.map(({ topic, payload, id, qos }) => [topic, payload.toString(), id, qos]),
    [
      ['vote/q', 'b', 1, 1],
      ['vote/q', 'x'.repeat(200), 1, 1],
    ],
  );
  t.same(released, [258]);
});

t.test('nothing is read after DISCONNECT', async (t) => {
  const { device, accept, got, published } = await gate(t);
  accept();
  const disconnect = generate({ cmd: 'disconnect' });
  device.write(Buffer.concat([CONNECT, publish(), disconnect, publish(), PINGREQ]));
  await eventually('DISCONNECT', async () => (got().length === CONNECT.length + 2 ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.same(got(), Buffer.concat([CONNECT, disconnect]));
  t.equal(published.length, 1);
});

t.test('every kind of PUBLISH is read as mqtt-packet writes it', async (t) => {
  const reader = new PublishReader();
  const topics = [
    'vote/q',
    'vote/q',
    'vote/q2',
    'vote/room/hall',
    'vote/q',
    'vote/abstimmung-über-kaffee',
    'd'.repeat(300),
  ];
  for (const [i, topic] of topics.entries()) {
    for (const qos of [0, 1, 2] as const) {
      for (const dup of qos === 0 ? [false] : [false, true]) {
        const payload = Buffer.from('y'.repeat(i * 30));
        const bytes = generate({
          cmd: 'publish',
          topic,
          payload,
          qos,
          dup,
          retain: i % 2 === 0,
          messageId: 65_535 - i,
        });
        const among = Buffer.concat([PINGREQ, bytes, PINGREQ]);
        t.same(reader.read(among, PINGREQ.length, PINGREQ.length + bytes.length), {
          topic,
          id: qos === 0 ? 0 : 65_535 - i,
          qos,
          isDup: dup,
          isRetained: i % 2 === 0,
          payload,
        });
      }
    }
  }
});

t.test('a packet that is too large closes the connection before the packet has been read', async (t) => {
  const { device, accept, error } = await gate(t);
  device.write(CONNECT);
  accept();
  device.write(Buffer.from([0x30, 0xff, 0x7f]));
  t.match((await error)?.message, /16386 bytes exceeds the limit of 256/);
});

t.test('an incomplete packet times out, but an idle connection does not', async (t) => {
  const { device, gate: made, accept, error } = await gate(t);
  device.write(CONNECT);
  accept();
  await new Promise((resolve) => setTimeout(resolve, LIMITS.packetMs * 2));
  t.notOk(made.destroyed, 'an idle connection stays open');
  for (let i = 0; i < 3; i++) {
    device.write(publish());
    await new Promise((resolve) => setTimeout(resolve, LIMITS.packetMs / 2));
  }
  t.notOk(made.destroyed, 'a busy connection stays open');
  device.write(publish().subarray(0, 5));
  t.match((await error)?.message, /packet still incomplete after 500 ms/);
});

t.test('the number of votes in flight is limited, per connection and in the whole broker', async (t) => {
  const flow = new Flow(10);
  const first = await gate(t, flow);
  const second = await gate(t, flow);
  const flood = Buffer.concat([CONNECT, ...Array.from({ length: 100 }, () => publish())]);
  for (const { device, accept } of [first, second]) {
    accept();
    device.write(flood);
  }
  await eventually('the broker to be full', async () => (flow.hasRoomFor(1) ? undefined : true));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(first.published.length + second.published.length, 10);
  t.ok(Math.max(first.published.length, second.published.length) <= LIMITS.inFlight);
  let settled = 0;
  const settledBy = new Map<Gate, number>();
  await eventually('the remaining packets', async () => {
    for (const { gate: made, published } of [first, second]) {
      const before = settledBy.get(made) ?? 0;
      if (published.length <= before) continue;
      made.settle(1);
      settledBy.set(made, before + 1);
      settled++;
    }
    return first.published.length + second.published.length === 200 ? true : undefined;
  });
  t.ok(settled >= 190);
  first.gate.destroy();
  second.gate.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.notOk(flow.hasRoomFor(10), 'votes of closed connections are in flight until they have been dealt with');
  for (const { gate: made } of [first, second]) made.settle(100 - (settledBy.get(made) ?? 0));
  t.ok(flow.hasRoomFor(10));
});

/** The sending side of a connection that keeps what it is given. */
class Line {
  readonly sent: string[] = [];
  settled = 0;
  error: string | undefined;

  get destroyed(): boolean {
    return this.error !== undefined;
  }

  acknowledge(bytes: Buffer): void {
    this.sent.push(bytes.toString('hex'));
  }

  settle(packets: number): void {
    this.settled += packets;
  }

  destroy({ message }: Error): void {
    this.error = message;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test(
  'acknowledgements leave in the order of the packets, and those that are due together in one write',
  async (t) => {
    const line = new Line();
    const order = new Acknowledgements(line);
    const publish = (qos: 0 | 1 | 2, i: number) => order.publish(qos, i + 257);
    const [first, second, third] = [publish(1, 0), publish(2, 1), publish(0, 2)];
    order.release(300);
    order.settle(third);
    order.settle(second);
    await turn();
    t.same(line.sent, []);
    order.settle(first);
    t.same(line.sent, [], 'not before the end of the turn');
    await turn();
    t.same(line.sent, ['40020101' + '50020102' + '7002012c']);
    t.equal(line.settled, 4);
    t.ok(order.isEmpty);
    const again = order.publish(1, 7);
    order.settle(again);
    order.flush();
    t.same(line.sent.slice(1), ['40020007'], 'at once, if something else is to follow');
    await turn();
    t.equal(line.sent.length, 2);
  },
);

t.test('a packet that failed closes the connection after the acknowledgements of earlier ones', async (t) => {
  const line = new Line();
  const order = new Acknowledgements(line);
  const packets = [1, 2, 3].map((id) => order.publish(1, id));
  order.fail(packets[1] as Pending, new Error('log down'));
  order.settle(packets[2] as Pending);
  await turn();
  t.notOk(line.destroyed);
  order.settle(packets[0] as Pending);
  await turn();
  t.same(line.sent, ['40020001']);
  t.equal(line.error, 'log down');
  t.equal(line.settled, 3, 'nothing stays in flight');
  order.settle(order.publish(1, 4));
  await turn();
  t.equal(line.sent.length, 1);
  t.equal(line.settled, 4);
});

t.test('a packet id at QoS 2 is held until PUBREL', async (t) => {
  const order = new Acknowledgements(new Line());
  t.ok(order.hold(1));
  t.notOk(order.hold(1));
  t.ok(order.hold(2));
  t.equal(order.held, 2);
  t.notOk(order.isEmpty);
  order.release(1);
  order.release(1);
  t.equal(order.held, 1);
  t.ok(order.hold(1), 'the id is free again');
});

t.test('decoding a payload never throws, whatever its bytes are', async (t) => {
  let state = 7;
  const random = () => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff);
  for (let i = 0; i < 50_000; i++) {
    const bytes = Buffer.from(Array.from({ length: random() % 24 }, () => random() >> 8));
    if (bytes.length > 0 && i % 2 === 0) bytes[0] = [0xa1, 0xbf, 0x7b, 0xb9][i % 4] as number;
    decodePayload(bytes);
  }
  t.same(decodePayload(Buffer.from('{"c":4.5}')), { choice: '4.5', n: undefined, t: undefined });
});

t.test('while the reader is paused, little of what the device sends is buffered', async (t) => {
  const { device, gate: made, accept } = await gate(t);
  made.pause();
  device.write(CONNECT);
  accept();
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => generate({ cmd: 'pingreq' })));
  for (let i = 0; i < 400; i++) device.write(pings);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok(made.readableLength < 256 * 1024, `${made.readableLength} bytes of 8 MB are buffered`);
  let got = 0;
  made.on('data', (chunk: Buffer) => (got += chunk.length));
  made.resume();
  await eventually('all bytes', async () => (got >= 400 * pings.length ? true : undefined));
});

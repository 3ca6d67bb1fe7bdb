import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { generate, type Packet } from 'mqtt-packet';
import t, { type Test } from 'tap';
import type { AedesPort } from '../../../broker/connection/aedes-port.ts';
import { closeSoon } from '../../../broker/connection/closing.ts';
import { Flow } from '../../../broker/connection/flow/flow.ts';
import { Gate } from '../../../broker/connection/gate.ts';
import type { GateOwner } from '../../../broker/connection/gate-owner.ts';
import type { Receiver } from '../../../broker/connection/receiver.ts';
import type { Connect } from '../../../broker/connection/wire/connect.ts';
import type { GateLimits } from '../../../broker/connection/wire/limits.ts';
import type { Publish } from '../../../broker/connection/wire/publish.ts';
import { eventually } from '../../support/eventually.ts';

const LIMITS: GateLimits = {
  connectMs: 2_000,
  connectBytes: 64,
  packetBytes: 256,
  packetMs: 500,
  inFlight: 8,
  drainMs: 1_000,
};
const CONNECT = generate({
  cmd: 'connect',
  clientId: 'd',
  protocolVersion: 4,
  protocolId: 'MQTT',
  clean: true,
  keepalive: 60,
});
const PINGREQ = generate({ cmd: 'pingreq' });
const PINGRESP = generate({ cmd: 'pingresp' });
const subscribe = (topic = 'poll/q') =>
  generate({ cmd: 'subscribe', messageId: 7, subscriptions: [{ topic, qos: 1 }] } as Packet);
const publish = (payload = 'b') =>
  generate({ cmd: 'publish', topic: 'vote/q', payload, qos: 1, messageId: 1, dup: false, retain: false });

/** A gate on a real socket, the device’s end of the connection, and what the gate passed on: to Aedes and to the receiver. */
interface Passage {
  readonly device: Socket;
  readonly gate: Gate;
  readonly connects: Connect[];
  /** What Aedes got. */
  readonly got: () => Buffer;
  /** What the device got. */
  readonly answers: () => Buffer;
  readonly published: Publish[];
  readonly released: number[];
  /** Accepts the device, once CONNECT has come. */
  readonly accept: () => void;
  /** Takes the client in as Aedes does, once it is needed. */
  readonly attach: () => void;
  readonly isNeeded: () => boolean;
  readonly port: () => AedesPort | undefined;
  readonly error: Promise<Error | null>;
}

async function gate(t: Test, flow = new Flow(1_000)): Promise<Passage> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const device = connect((server.address() as { port: number }).port, '127.0.0.1');
  device.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const chunks: Buffer[] = [];
  const answers: Buffer[] = [];
  const connects: Connect[] = [];
  const published: Publish[] = [];
  const released: number[] = [];
  const receiver: Receiver = {
    publish: (packet) => published.push(packet),
    release: (id) => released.push(id),
  };
  let mayAccept = false;
  let isNeeded = false;
  let mayAttach = false;
  let port: AedesPort | undefined;
  let ended: (error: Error | null) => void = () => {};
  const error = new Promise<Error | null>((resolve) => {
    ended = resolve;
  });
  const attachNow = () => {
    port = made.attach();
    port.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
    made.attached();
  };
  const owner: GateOwner = {
    connect: (packet) => {
      connects.push(packet);
      if (mayAccept) setImmediate(() => made.accept(receiver, packet.keepAlive));
    },
    needAedes: () => {
      isNeeded = true;
      if (mayAttach) setImmediate(attachNow);
    },
    slowed: () => {},
    closing: () => {},
    closed: ended,
  };
  const made: Gate = new Gate(socket, owner, { flow, limits: LIMITS });
  const checks = setInterval(() => made.check(performance.now()), 20);
  device.on('data', (chunk: Buffer) => answers.push(chunk));
  t.teardown(() => {
    clearInterval(checks);
    device.destroy();
    made.destroy();
    server.close();
  });
  const accept = () => {
    mayAccept = true;
    if (connects.length > 0) made.accept(receiver, connects[0]?.keepAlive);
  };
  const attach = () => {
    mayAttach = true;
    if (isNeeded) attachNow();
  };
  return {
    device,
    gate: made,
    connects,
    got: () => Buffer.concat(chunks),
    answers: () => Buffer.concat(answers),
    published,
    released,
    accept,
    attach,
    isNeeded: () => isNeeded,
    port: () => port,
    error,
  };
}

t.test(
  'the first packet must be a CONNECT of limited size, and later packets wait until it has been accepted',
  async (t) => {
    for (const [bytes, why] of [
      [publish(), /CONNECT must come first/],
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /CONNECT must come first/],
      [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), /268435460 bytes exceeds the limit of 64/],
      [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]), /malformed/],
    ] as const) {
      const { device, error, connects } = await gate(t);
      device.write(bytes);
      t.match((await error)?.message, why);
      t.same(connects, [], 'the gate passed nothing on');
    }
    const { device, accept, connects, answers, published } = await gate(t);
    device.write(Buffer.concat([CONNECT, PINGREQ, publish(), publish()]));
    await eventually('CONNECT', async () => (connects.length === 1 ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.match(connects, [{ level: 4, clientId: 'd', keepAlive: 60, isClean: true, will: undefined }]);
    t.equal(answers().length, 0, 'packets after CONNECT wait until CONNECT has been accepted');
    t.equal(published.length, 0);
    accept();
    await eventually('the remaining packets', async () => (published.length === 2 ? true : undefined));
    await eventually('PINGRESP', async () => (answers().length === 2 ? true : undefined));
    t.same(answers(), PINGRESP);
  },
);

t.test('a second CONNECT, of whatever version, closes the connection, and what follows it is not taken', async (t) => {
  for (const protocolVersion of [4, 5] as const) {
    const { device, accept, connects, published, error } = await gate(t);
    accept();
    device.write(CONNECT);
    await eventually('CONNECT', async () => (connects.length > 0 ? true : undefined));
    const fields = { clientId: 'd', protocolId: 'MQTT', clean: true, keepalive: 60 } as const;
    device.write(Buffer.concat([generate({ cmd: 'connect', protocolVersion, ...fields }), publish()]));
    t.match(await error, { message: /only once/ });
    t.same(published, []);
  }
});

t.test('packets arrive intact and in order, even if they are sent byte by byte', async (t) => {
  const { device, accept, attach, got, answers, published, released } = await gate(t);
  accept();
  attach();
  const pubrel = generate({ cmd: 'pubrel', messageId: 258 });
  const all = Buffer.concat([CONNECT, publish(), PINGREQ, subscribe(), publish('x'.repeat(200)), pubrel, PINGREQ]);
  device.setNoDelay(true);
  for (const byte of all) {
    device.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('all bytes', async () => (got().length === subscribe().length + 2 ? true : undefined));
  t.same(answers(), PINGRESP);
  t.same(got(), Buffer.concat([subscribe(), PINGREQ]), 'Aedes gets everything but PUBLISH once it is needed');
  t.same(
    published.map(({ topic, payload, id, qos }) => [topic, payload.toString(), id, qos]),
    [
      ['vote/q', 'b', 1, 1],
      ['vote/q', 'x'.repeat(200), 1, 1],
    ],
  );
  t.same(released, [258]);
});

t.test('what follows the packet that needs Aedes waits until Aedes has taken the client in', async (t) => {
  const { device, accept, attach, isNeeded, got, answers, published } = await gate(t);
  accept();
  device.write(Buffer.concat([CONNECT, publish(), subscribe(), publish(), PINGREQ, subscribe('poll/r')]));
  await eventually('SUBSCRIBE', async () => (isNeeded() ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(published.length, 1);
  t.equal(answers().length, 0);
  attach();
  await eventually('the rest', async () => (got().length > subscribe().length + 2 ? true : undefined));
  t.equal(published.length, 2);
  t.same(got(), Buffer.concat([subscribe(), PINGREQ, subscribe('poll/r')]));
});

t.test('a client that ends the connection after SUBSCRIBE is heard out', async (t) => {
  const { device, gate: made, accept, attach, isNeeded, got, published, error } = await gate(t);
  accept();
  device.end(Buffer.concat([CONNECT, subscribe(), publish()]));
  await eventually('SUBSCRIBE', async () => (isNeeded() ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.notOk(made.isClosed);
  attach();
  t.equal(await error, null);
  t.same(got(), subscribe());
  t.equal(published.length, 1);
});

t.test('the keep alive runs from the moment when the client is let in', async (t) => {
  const { device, gate: made, connects, error } = await gate(t);
  device.write(CONNECT);
  await eventually('CONNECT', async () => (connects.length > 0 ? true : undefined));
  made.enter(0.2);
  t.match(await error, { message: /keep alive timeout/ });
});

t.test('when thousands of connections are lost, the rest of the process goes on', async (t) => {
  let closed = 0;
  const each = Array.from({ length: 1_000 }, () => ({ close: () => closed++ }));
  for (const one of each) closeSoon(one);
  t.equal(closed, 0);
  let turns = 0;
  for (; closed < each.length; turns++) await new Promise(setImmediate);
  t.ok(turns >= 5, `${turns} turns`);
  closeSoon(each[0] as (typeof each)[0]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  t.equal(closed, each.length + 1);
});

t.test('a client hears only one CONNACK, whenever Aedes takes it in', async (t) => {
  for (const own of [undefined, Buffer.from([0x20, 2, 1, 0])]) {
    const { device, gate: made, accept, connects, answers } = await gate(t);
    device.write(CONNECT);
    await eventually('CONNECT', async () => (connects.length > 0 ? true : undefined));
    const port = made.attach(own).on('error', () => {});
    port.cork();
    port.write(Buffer.from([0x20, 2, 0, 0]));
    port.write(PINGRESP);
    port.uncork();
    port.write(PINGRESP);
    accept();
    const all = Buffer.concat([own ?? Buffer.alloc(0), PINGRESP, PINGRESP]);
    await eventually('the answers', async () => (answers().length === all.length ? true : undefined));
    t.same(answers(), all);
  }
});

t.test('nothing is read after DISCONNECT, with Aedes and without', async (t) => {
  const disconnect = generate({ cmd: 'disconnect' });
  const { device, accept, gate: made, isNeeded, published, error } = await gate(t);
  accept();
  device.write(Buffer.concat([CONNECT, publish(), disconnect, publish(), subscribe()]));
  t.equal(await error, null);
  t.equal(made.ending, 'goodbye');
  t.notOk(isNeeded());
  t.equal(published.length, 1);
  const other = await gate(t);
  other.accept();
  other.attach();
  other.device.write(Buffer.concat([CONNECT, publish(), subscribe(), disconnect, publish(), PINGREQ]));
  await eventually('DISCONNECT', async () => (other.got().length === subscribe().length + 2 ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.same(other.got(), Buffer.concat([subscribe(), disconnect]), 'Aedes closes the connection');
  t.equal(other.published.length, 1);
});

t.test('a client that sends nothing is closed: before CONNECT, and beyond its keep alive', async (t) => {
  const stranger = await gate(t);
  const idle = await gate(t);
  const silent = await gate(t);
  const busy = await gate(t);
  const connectWith = (keepalive: number) =>
    generate({ cmd: 'connect', clientId: 'd', protocolVersion: 4, protocolId: 'MQTT', clean: true, keepalive });
  for (const [{ device, accept }, keepAlive] of [
    [idle, 0],
    [silent, 1],
    [busy, 1],
  ] as const) {
    accept();
    device.write(connectWith(keepAlive));
  }
  const pings = setInterval(() => busy.device.write(PINGREQ), 200);
  t.teardown(() => clearInterval(pings));
  t.match(await silent.error, { message: /keep alive timeout/ });
  t.match(await stranger.error, { message: /CONNECT did not arrive in time/ });
  t.notOk(idle.gate.destroyed, 'keep alive 0 is none');
  t.notOk(busy.gate.destroyed);
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
  t.match((await error)?.message, /packet still incomplete/);
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

t.test('while Aedes reads nothing, little of what the device sends is buffered', async (t) => {
  const { device, accept, attach, port } = await gate(t);
  accept();
  attach();
  device.write(Buffer.concat([CONNECT, subscribe()]));
  const made = await eventually('Aedes', async () => port());
  made.pause();
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => generate({ cmd: 'pingreq' })));
  for (let i = 0; i < 400; i++) device.write(pings);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok(made.readableLength < 256 * 1024, `${made.readableLength} bytes of 8 MB are buffered`);
  let got = 0;
  made.on('data', (chunk: Buffer) => (got += chunk.length));
  made.resume();
  await eventually('all bytes', async () => (got >= 400 * pings.length ? true : undefined));
});

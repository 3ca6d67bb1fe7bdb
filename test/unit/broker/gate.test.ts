import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { Acknowledgements } from '../../../broker/connection/acknowledgements.ts';
import { Flow } from '../../../broker/connection/flow.ts';
import { Gate, type GateLimits } from '../../../broker/connection/gate.ts';
import { frameLength } from '../../../broker/connection/wire/frame.ts';
import { decodePayload } from '../../../broker/intake/payload.ts';
import { eventually } from '../../support/eventually.ts';

const LIMITS: GateLimits = { connectBytes: 64, packetBytes: 256, packetMs: 150, inFlight: 8 };
const CONNECT = generate({
  cmd: 'connect',
  clientId: 'd',
  protocolVersion: 4,
  protocolId: 'MQTT',
  clean: true,
  keepalive: 60,
});
const publish = (payload = 'b') =>
  generate({ cmd: 'publish', topic: 'vote/q', payload, qos: 1, messageId: 1, dup: false, retain: false });

/** A gate on a real socket, and the device's end of the connection. */
async function gate(
  t: Test,
  flow = new Flow(1_000),
): Promise<{ device: Socket; gate: Gate; got: () => Buffer; error: Promise<Error | undefined> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const device = connect((server.address() as { port: number }).port, '127.0.0.1');
  device.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const made = new Gate(socket, flow, LIMITS);
  const chunks: Buffer[] = [];
  made.on('data', (chunk: Buffer) => chunks.push(chunk));
  const error = new Promise<Error | undefined>((resolve) => {
    made.once('error', resolve).once('close', () => resolve(undefined));
  });
  t.teardown(() => {
    device.destroy();
    made.destroy();
    server.close();
  });
  return { device, gate: made, got: () => Buffer.concat(chunks), error };
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
      [publish(), /must be CONNECT/],
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /must be CONNECT/],
      [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), /268435460 bytes exceeds the limit of 64/],
      [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]), /malformed/],
    ] as const) {
      const { device, error, got } = await gate(t);
      device.write(bytes);
      t.match((await error)?.message, why);
      t.equal(got().length, 0, 'the gate passed nothing on');
    }
    const { device, gate: made, got } = await gate(t);
    device.write(Buffer.concat([CONNECT, publish(), publish()]));
    await eventually('CONNECT', async () => (got().length === CONNECT.length ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.equal(got().length, CONNECT.length, 'packets after CONNECT wait until CONNECT has been accepted');
    made.accept();
    await eventually('the remaining packets', async () =>
      got().length === CONNECT.length + 2 * publish().length ? true : undefined,
    );
  },
);

t.test('packets arrive intact, even if they are sent byte by byte', async (t) => {
  const { device, gate: made, got } = await gate(t);
  made.accept();
  const all = Buffer.concat([CONNECT, publish(), generate({ cmd: 'pingreq' }), publish('x'.repeat(200))]);
  device.setNoDelay(true);
  for (const byte of all) {
    device.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('all bytes', async () => (got().equals(all) ? true : undefined));
  t.pass();
});

t.test('a packet that is too large closes the connection before the packet has been read', async (t) => {
  const { device, gate: made, error } = await gate(t);
  device.write(CONNECT);
  made.accept();
  device.write(Buffer.from([0x30, 0xff, 0x7f]));
  t.match((await error)?.message, /16386 bytes exceeds the limit of 256/);
});

t.test('an incomplete packet times out, but an idle connection does not', async (t) => {
  const { device, gate: made, error } = await gate(t);
  device.write(CONNECT);
  made.accept();
  await new Promise((resolve) => setTimeout(resolve, LIMITS.packetMs * 2));
  t.notOk(made.destroyed, 'an idle connection stays open');
  for (let i = 0; i < 3; i++) {
    device.write(publish());
    await new Promise((resolve) => setTimeout(resolve, LIMITS.packetMs / 2));
  }
  t.notOk(made.destroyed, 'a busy connection stays open');
  device.write(publish().subarray(0, 5));
  t.match((await error)?.message, /packet still incomplete after 150 ms/);
});

t.test('the number of votes in flight is limited, per connection and in the whole broker', async (t) => {
  const flow = new Flow(10);
  const first = await gate(t, flow);
  const second = await gate(t, flow);
  const flood = Buffer.concat([CONNECT, ...Array.from({ length: 100 }, () => publish())]);
  const handedOn = (got: Buffer) => Math.max(0, (got.length - CONNECT.length) / publish().length);
  for (const { device, gate: made } of [first, second]) {
    made.accept();
    device.write(flood);
  }
  await eventually('the broker to be full', async () => (flow.hasRoomFor(1) ? undefined : true));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(handedOn(first.got()) + handedOn(second.got()), 10);
  t.ok(Math.max(handedOn(first.got()), handedOn(second.got())) <= LIMITS.inFlight);
  let settled = 0;
  const settledBy = new Map<Gate, number>();
  const settledOf = (made: Gate) => settledBy.get(made) ?? 0;
  await eventually('the remaining packets', async () => {
    for (const { gate: made } of [first, second]) {
      if (handedOn(made === first.gate ? first.got() : second.got()) <= settledOf(made)) continue;
      made.begin();
      made.settle();
      settledBy.set(made, settledOf(made) + 1);
      settled++;
    }
    return handedOn(first.got()) + handedOn(second.got()) === 200 ? true : undefined;
  });
  t.ok(settled >= 190);
  first.gate.destroy();
  second.gate.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.ok(flow.hasRoomFor(10), 'votes of closed connections no longer count towards the limit');
});

t.test('an acknowledgement is sent only after all earlier acknowledgements', async (t) => {
  const order = new Acknowledgements();
  const done: [number, string | undefined][] = [];
  const settles = [0, 1, 2, 3].map((i) => order.next((error) => done.push([i, error?.message])));
  settles[2]?.();
  settles[1]?.(new Error('log down'));
  t.same(done, []);
  settles[0]?.();
  settles[0]?.(new Error('twice'));
  t.same(done, [
    [0, undefined],
    [1, 'log down'],
    [2, undefined],
  ]);
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
  const { device, gate: made } = await gate(t);
  made.pause();
  device.write(CONNECT);
  made.accept();
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => generate({ cmd: 'pingreq' })));
  for (let i = 0; i < 400; i++) device.write(pings);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok(made.readableLength < 256 * 1024, `${made.readableLength} bytes of 8 MB are buffered`);
  let got = 0;
  made.on('data', (chunk: Buffer) => (got += chunk.length));
  made.resume();
  await eventually('all bytes', async () => (got >= 400 * pings.length ? true : undefined));
});

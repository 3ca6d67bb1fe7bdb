import { generate } from 'mqtt-packet';
import t from 'tap';
import { Flow } from '../../../../broker/connection/flow/flow.ts';
import type { Gate } from '../../../../broker/connection/gate.ts';
import { eventually } from '../../../support/eventually.ts';
import { CONNECT, gate, LIMITS, PINGREQ, publish, subscribe } from './passage.ts';

t.test('the keep alive runs from the moment when the client is let in', async (t) => {
  const { device, gate: made, connects, error } = await gate(t);
  device.write(CONNECT);
  await eventually('CONNECT', async () => (connects.length > 0 ? true : undefined));
  made.enter(0.2);
  t.match(await error, { message: /keep alive timeout/ });
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

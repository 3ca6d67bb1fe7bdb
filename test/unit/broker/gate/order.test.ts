import { generate } from 'mqtt-packet';
import t from 'tap';
import { closeSoon } from '../../../../broker/connection/closing.ts';
import { eventually } from '../../../support/eventually.ts';
import { CONNECT, gate, PINGREQ, PINGRESP, publish, subscribe } from './passage.ts';

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

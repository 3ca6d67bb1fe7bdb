import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { WebSocket } from 'ws';
import { eventually } from '../../../support/eventually.ts';
import { bytesOf, connectPacket, openLine, spaced } from '../../../support/network/line.ts';
import { stage } from '../../../support/stage.ts';

const ACCEPTED = '20 02 00 00';
const V1 = Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 54321 1883\r\n');
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc00002010a000001d431075b', 'hex');
const CONNECT = bytesOf(connectPacket('a'));

t.test('trusted proxies must send the PROXY protocol, and nobody else may', async (t) => {
  for (const proxyProtocolFrom of ['127.0.0.1', '10.0.0.7, 127.0.0.0/8', '::1, 127.0.0.1']) {
    const s = await stage(t, { proxyProtocolFrom });
    for (const header of [V1, V2]) {
      const line = await openLine(t, s);
      line.send(Buffer.concat([header, CONNECT]));
      t.equal(await line.next(4), ACCEPTED, proxyProtocolFrom);
      const slow = await openLine(t, s);
      for (const byte of Buffer.concat([header, CONNECT])) {
        slow.send(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      t.equal(await slow.next(4), ACCEPTED, 'byte by byte');
    }
    const bare = await openLine(t, s);
    bare.send(CONNECT);
    await bare.closed();
    t.equal(spaced(bare.received()), '', 'a connection without a header');
    t.ok((await openLine(t, s, 'ws')).stream.writable);
    await s.stop();
  }
  for (const proxyProtocolFrom of ['', '10.0.0.0/8, ::1']) {
    const s = await stage(t, { proxyProtocolFrom });
    for (const header of [V1, V2]) {
      const line = await openLine(t, s);
      line.send(Buffer.concat([header, CONNECT]));
      await line.closed();
      t.equal(spaced(line.received()), '', 'a header from an address that is not trusted');
    }
    const line = await openLine(t, s);
    line.send(CONNECT);
    t.equal(await line.next(4), ACCEPTED);
    await s.stop();
  }
});

t.test('IPv6 proxies, and IPv4 proxies on a socket for both', async (t) => {
  const s = await stage(t, { host: '::', door: 'open', proxyProtocolFrom: '::1,127.0.0.1' });
  for (const host of ['::1', '127.0.0.1']) {
    const socket = connect(s.pollcast.mqttPort, host);
    t.teardown(() => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])));
    socket.write(Buffer.concat([V2, CONNECT]));
    await eventually(`CONNACK from ${host}`, async () => (received.length >= 4 ? true : undefined));
    t.equal(spaced(received), ACCEPTED);
  }
});

t.test('WebSockets are pinged, and closed if there is no answer', async (t) => {
  const s = await stage(t, { webSocketPingSeconds: '1' });
  const open = async (autoPong: boolean) => {
    const socket = new WebSocket(`${s.http.replace('http', 'ws')}/mqtt`, 'mqtt', { autoPong });
    t.teardown(() => socket.terminate());
    let pings = 0;
    socket.on('ping', () => pings++);
    await eventually('the WebSocket', async () => (socket.readyState === WebSocket.OPEN ? true : undefined));
    socket.send(bytesOf(connectPacket(autoPong ? 'alive' : 'dead', { keepalive: 0 })));
    return { socket, pings: () => pings };
  };
  const alive = await open(true);
  const dead = await open(false);
  await eventually('the end of the dead one', async () =>
    dead.socket.readyState === WebSocket.CLOSED ? true : undefined,
  );
  t.ok(dead.pings() > 0);
  await eventually('three pings', async () => (alive.pings() >= 3 ? true : undefined));
  await sleep(100);
  t.equal(alive.socket.readyState, WebSocket.OPEN);
});

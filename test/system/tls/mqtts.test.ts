/** MQTT over TLS: the same bytes as without it, whatever they are. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import tls from 'node:tls';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Hall, hall } from '../../support/hall.ts';
import { bytesOf, connectPacket, spaced } from '../../support/network/line.ts';
import { type Stage, stage } from '../../support/stage.ts';

const ACCEPTED = '20 02 00 00';
const CONNECT = bytesOf(connectPacket('a'));

/** What a TLS connection receives. */
function read(t: Test, socket: tls.TLSSocket) {
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return {
    received: () => received,
    next: (length: number) =>
      eventually(`${length} bytes`, async () => (received.length >= length ? received.subarray(0, length) : undefined)),
  };
}

async function open(t: Test, s: Stage, { ca }: Hall, options: tls.ConnectionOptions = {}) {
  const socket = tls.connect({ port: s.pollcast.mqttsPort, host: '127.0.0.1', ca, ...options });
  const reading = read(t, socket);
  await once(socket, 'secureConnect');
  return { socket, ...reading };
}

t.test('devices vote over mqtts and wss, in both versions and at every QoS', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  await s.openPoll('q');
  const wss = `${s.http.replace('http', 'ws')}/mqtt`;
  let votes = 0;
  for (const url of [s.mqtt, wss]) {
    for (const protocolVersion of [4, 5] as const) {
      for (const qos of [0, 1, 2] as const) {
        const clientId = `d${votes++}`;
        const client = await mqtt.connectAsync(url, { clientId, protocolVersion, ca: h.ca, reconnectPeriod: 0 });
        await client.subscribeAsync(`receipt/${clientId}`, { qos: 1 });
        const receipt = new Promise((resolve) => client.once('message', (_topic, text) => resolve(text.toString())));
        await client.publishAsync('vote/q', 'a', { qos });
        t.match(await receipt, / q\b/, `${url} ${protocolVersion} QoS ${qos}`);
        await client.endAsync();
      }
    }
  }
  t.equal((await s.resultAfter('q', votes)).votes, votes);
  await t.rejects(
    mqtt.connectAsync(s.mqtt, { clientId: 'x', reconnectPeriod: 0 }, false),
    /self.signed|issuer|verify/i,
    'a client that does not know the authority does not connect',
  );
});

t.test('TLS 1.2 and up, and nothing without TLS', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  for (const port of [s.pollcast.mqttsPort, s.pollcast.httpPort]) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = tls.connect({ port, host: '127.0.0.1', ca: h.ca, minVersion: version, maxVersion: version });
      await once(socket, 'secureConnect');
      t.equal(socket.getProtocol(), version);
      socket.destroy();
    }
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      // Without its own limits, so that it is the server that refuses.
      const ciphers = 'ALL:@SECLEVEL=0';
      const old = { minVersion: version, maxVersion: version, ciphers };
      const socket = tls.connect({ port, host: '127.0.0.1', ca: h.ca, ...old });
      const [error] = await once(socket, 'error');
      t.match((error as NodeJS.ErrnoException).code, /ALERT_PROTOCOL_VERSION/, `${version} at ${port}`);
    }
    const plain = connect(port, '127.0.0.1').on('error', () => {});
    let answer = '';
    plain.on('data', (chunk) => (answer += chunk));
    plain.write(CONNECT);
    await once(plain, 'close');
    t.notMatch(answer, '\x20\x02\x00\x00', 'CONNECT without TLS is not answered');
  }
});

t.test('packets pass byte by byte, in one piece, and by the thousand', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  await s.openPoll('q');
  const slow = await open(t, s, h);
  for (const byte of CONNECT) slow.socket.write(Buffer.from([byte]));
  t.equal(spaced(await slow.next(4)), ACCEPTED);
  const many = 2_000;
  const votes = Array.from({ length: many }, (_, i) =>
    bytesOf({
      ...{ cmd: 'publish', topic: 'vote/q', payload: 'abc'[i % 3] as string, qos: 1, messageId: i + 1 },
      ...{ dup: false, retain: false },
    }),
  );
  const fast = await open(t, s, h);
  fast.socket.write(Buffer.concat([bytesOf(connectPacket('fast')), ...votes]));
  const answers = await fast.next(4 + 4 * many);
  const last = Buffer.from([0x40, 2, many >> 8, many & 255]);
  t.ok(answers.subarray(-4).equals(last), 'acknowledged in order, to the last');
  fast.socket.end(bytesOf('e0 00'));
  await eventually('the end', async () => (fast.socket.destroyed ? true : undefined));
});

t.test('a refusal is read before the connection ends', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server, door: 'devices' });
  const login = { clientId: 'd', username: 'd', password: 'wrong-secret-of-some-length', ca: h.ca, reconnectPeriod: 0 };
  await t.rejects(mqtt.connectAsync(s.mqtt, { ...login, protocolVersion: 4 }, false), { code: 4 });
  await t.rejects(mqtt.connectAsync(s.mqtt, { ...login, protocolVersion: 5 }, false), { code: 0x86 });
});

t.test('a header of the PROXY protocol comes before TLS', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server, proxyProtocolFrom: '127.0.0.1' });
  const header = Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 54321 8883\r\n');
  for (const isTogether of [false, true]) {
    const socket = connect(s.pollcast.mqttsPort, '127.0.0.1');
    await once(socket, 'connect');
    if (isTogether) socket.cork();
    socket.write(header);
    const secure = tls.connect({ socket, ca: h.ca, servername: 'localhost' });
    const reading = read(t, secure);
    setImmediate(() => socket.uncork());
    await once(secure, 'secureConnect');
    secure.write(CONNECT);
    t.equal(spaced(await reading.next(4)), ACCEPTED, isTogether ? 'in one piece' : 'apart');
  }
  const bare = tls.connect({ port: s.pollcast.mqttsPort, host: '127.0.0.1', ca: h.ca }).on('error', () => {});
  await new Promise((resolve) => bare.once('close', resolve));
  t.pass('without a header, there is no handshake');
});

t.test('a handshake that is not finished in time is cut, silent or byte by byte', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  const hello = await captureHello();
  const lines = [s.pollcast.mqttsPort, s.pollcast.httpPort].flatMap((port) =>
    ['silent', 'dripping'].map(async (kind) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      const closed = once(socket.resume(), 'close');
      let at = 0;
      const timer = setInterval(() => kind === 'dripping' && socket.write(hello.subarray(at, ++at)), 200);
      t.teardown(() => socket.destroy());
      await closed;
      clearInterval(timer);
      return `${kind} ${at < hello.length}`;
    }),
  );
  t.same(await Promise.all(lines), ['silent true', 'dripping true', 'silent true', 'dripping true']);
});

/** The first bytes of a client. */
async function captureHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = tls.connect({ port, host: '127.0.0.1' }).on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return bytes as Buffer;
}

import { Duplex } from 'node:stream';
import { generate, type Packet } from 'mqtt-packet';
import t from 'tap';
import { AedesPort } from '../../../broker/connection/aedes-port.ts';
import { Flow } from '../../../broker/connection/flow/flow.ts';
import { Gate } from '../../../broker/connection/gate.ts';
import { connectBytes, parsed } from './mqtt5/translator.ts';

/** Stands for a socket whose other end is this test. */
class Line extends Duplex {
  written = Buffer.alloc(0);
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written = Buffer.concat([this.written, chunk]);
    done();
  }
}

const CONNACK = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false });
const PUBLISH = generate({
  ...{ cmd: 'publish', topic: 'poll/q', payload: 'x'.repeat(200), qos: 1, messageId: 1, dup: false, retain: true },
} as Packet);
const SUBACK = generate({ cmd: 'suback', messageId: 2, granted: [1] } as Packet);

const turn = () => new Promise(setImmediate);

/** A connected client whose gate has a port. */
async function attached(version: 4 | 5, isAnswered = false) {
  const line = new Line();
  const ended: (Error | null)[] = [];
  const gate: Gate = new Gate(
    line,
    {
      connect: () => {},
      needAedes: () => {},
      slowed: () => {},
      closing: () => {},
      closed: (error) => ended.push(error),
    },
    { flow: new Flow(1_000) },
  );
  const first = { cmd: 'connect', clientId: 'd', protocolId: 'MQTT', protocolVersion: 4, clean: false, keepalive: 60 };
  line.push(version === 5 ? connectBytes() : generate(first as Packet));
  await turn();
  const port = gate.attach(isAnswered ? undefined : gate.dialect.welcome(true));
  port.on('error', () => {});
  return { line, gate, port, ended, packets: () => parsed(line.written, version).map(({ cmd }) => cmd) };
}

for (const version of [4, 5] as const) {
  t.test(`MQTT ${version}: the client gets its CONNACK first, and never that of Aedes`, async (t) => {
    for (const [writes, packets] of [
      [[CONNACK, PUBLISH], ['publish']],
      [[PUBLISH, CONNACK], ['publish']],
      [
        [PUBLISH, PUBLISH, CONNACK, PUBLISH],
        ['publish', 'publish', 'publish'],
      ],
      [[Buffer.concat([PUBLISH, CONNACK, PUBLISH])], ['publish', 'publish']],
      [[Buffer.concat([PUBLISH, PUBLISH])], ['publish', 'publish']],
      [[Buffer.concat([CONNACK, PUBLISH])], ['publish']],
      [[CONNACK], []],
      [[CONNACK, SUBACK], ['suback']],
    ] as const) {
      for (const isAnswered of [false, true]) {
        const { line, port, gate, ended, packets: got } = await attached(version, isAnswered);
        for (const bytes of writes) port.write(bytes);
        await turn();
        // Without SUBSCRIBE, a translated SUBACK grants nothing, but is sent.
        t.same(got(), [...(isAnswered ? [] : ['connack']), ...packets], `${writes.length} writes`);
        t.same(ended, []);
        gate.destroy();
        line.destroy();
      }
    }
  });

  t.test(`MQTT ${version}: what is not a whole packet closes one connection, not the process`, async (t) => {
    for (const bytes of [
      Buffer.from([0x30]),
      Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]),
      PUBLISH.subarray(0, 50),
      Buffer.concat([PUBLISH, Buffer.from([0x30, 0x80])]),
    ]) {
      const { line, port, ended } = await attached(version);
      port.cork();
      port.write(bytes);
      port.uncork();
      await turn();
      await turn();
      t.equal(ended.length, 1, bytes.toString('hex'));
      t.match(ended[0], { message: /not whole/ });
      line.destroy();
    }
  });
}

t.test('an exception while a packet is sent closes the connection', async (t) => {
  const errors: unknown[] = [];
  const gate = {
    socket: new Line(),
    acknowledge: () => {},
    send: () => {
      throw new Error('cannot translate');
    },
    resume: () => {},
    destroy: (error: Error | null) => errors.push(error),
  };
  const port = new AedesPort(gate, undefined);
  port.on('error', () => {});
  port.write(CONNACK);
  port.write(PUBLISH);
  await turn();
  t.match(errors, [{ message: 'cannot translate' }]);
});

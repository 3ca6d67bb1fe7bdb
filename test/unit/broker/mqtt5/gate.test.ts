import { Duplex } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { Flow } from '../../../../broker/connection/flow/flow.ts';
import { Gate } from '../../../../broker/connection/gate.ts';
import { connectBytes, packet5, parsed } from './translator.ts';

/** Stands for a socket whose other end is this test. */
class Line extends Duplex {
  written = Buffer.alloc(0);
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written = Buffer.concat([this.written, chunk]);
    done();
  }
}

const PACKETS: readonly Buffer[] = [
  packet5({ cmd: 'publish', topic: 'vote/q', payload: 'b', qos: 1, messageId: 1, dup: false, retain: false }),
  packet5({ cmd: 'publish', topic: 'vote/q', payload: 'b', qos: 2, messageId: 2, properties: { topicAlias: 1 } }),
  packet5({ cmd: 'pubrel', messageId: 2, reasonCode: 0, properties: { reasonString: 'x' } }),
  packet5({ cmd: 'puback', messageId: 3, reasonCode: 0x10 }),
  packet5({ cmd: 'pubrec', messageId: 3, reasonCode: 0 }),
  packet5({ cmd: 'pubcomp', messageId: 3, reasonCode: 0x92 }),
  packet5({ cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: 'poll/q', qos: 1, rap: true, rh: 1 }] }),
  packet5({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['poll/q'] }),
  packet5({ cmd: 'auth', reasonCode: 0, properties: { authenticationMethod: 'x' } }),
  packet5({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 1 } }),
  connectBytes(),
  Buffer.from([0xc0, 0]),
];

const mutation = fc.record({ at: fc.nat(70), to: fc.nat(255), cut: fc.nat(6) });
const mutated = fc.tuple(fc.constantFrom(...PACKETS), fc.array(mutation, { maxLength: 3 })).map(([packet, changes]) => {
  let bytes = Buffer.from(packet);
  for (const { at, to, cut } of changes) {
    if (at < bytes.length) bytes[at] = to;
    else bytes = bytes.subarray(0, Math.max(0, bytes.length - cut));
  }
  return bytes;
});

t.test('whatever follows CONNECT, Aedes gets MQTT 3.1.1, and a client that is cut off hears why', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: 1, maxLength: 5 }), async (packets) => {
      const line = new Line();
      let toAedes = Buffer.alloc(0);
      const receiver = { publish: () => {}, release: () => {} };
      const gate: Gate = new Gate(
        line,
        {
          connect: () => {},
          needAedes: () => {
            gate
              .attach()
              .on('error', () => {})
              .on('data', (chunk: Buffer) => (toAedes = Buffer.concat([toAedes, chunk])));
            gate.attached();
          },
          slowed: () => {},
          closing: () => {},
          closed: () => {},
        },
        { flow: new Flow(1_000) },
      );
      line.push(connectBytes({ clientId: 'd', properties: { sessionExpiryInterval: 9 } }));
      await new Promise(setImmediate);
      gate.accept(receiver);
      line.push(Buffer.concat(packets));
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      if (parsed(toAedes, 4).some(({ cmd }) => cmd === 'publish' || cmd === 'connect')) {
        throw new Error(`Aedes got ${toAedes.toString('hex')}`);
      }
      const answers = parsed(line.written, 5);
      const farewell = answers.find(({ cmd }) => cmd === 'disconnect');
      const hasLeft = gate.ending === 'goodbye';
      if (gate.destroyed && !hasLeft && !farewell) throw new Error('closed without a reason');
      gate.destroy();
      line.destroy();
    }),
    { numRuns: 2_000 },
  );
});

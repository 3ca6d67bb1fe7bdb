import fc from 'fast-check';
import t from 'tap';
import { codeOfError, codeOfRejection } from '../../../../broker/connection/mqtt5/codes.ts';
import { isConnect5, readConnect } from '../../../../broker/connection/mqtt5/connect.ts';
import { PublishReader5 } from '../../../../broker/connection/mqtt5/publish.ts';
import { frameLength, PUBACK, PUBREC } from '../../../../broker/connection/wire/frame.ts';
import { ProtocolViolation } from '../../../../broker/connection/wire/packet-reader.ts';
import { REASONS } from '../../../../core/voting/rules/rejection.ts';
import { connectBytes, packet5, parsed, translator } from './translator.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function codeWhile(read: () => unknown): number {
  try {
    read();
    return 0;
  } catch (error) {
    return codeOfError(error);
  }
}

const publish = (more: object = {}) =>
  packet5({ cmd: 'publish', topic: 'vote/q', payload: 'b', qos: 1, messageId: 7, dup: false, retain: false, ...more });
const read = (reader: PublishReader5, bytes: Buffer) => reader.read(bytes, 0, bytes.length);

t.test('PUBLISH is read without its properties', async (t) => {
  const reader = new PublishReader5();
  for (let i = 0; i < 2; i++) {
    const got = read(reader, publish());
    t.match(got, { topic: 'vote/q', id: 7, qos: 1, isDup: false, isRetained: false });
    t.equal(got.payload.toString(), 'b');
  }
  const properties = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 5,
    contentType: 'text/plain',
    responseTopic: 'answer/to',
    correlationData: Buffer.from([0, 1]),
    userProperties: { a: ['b', 'c'] },
  };
  const full = read(reader, publish({ properties, qos: 2, dup: true, retain: true }));
  t.match(full, { topic: 'vote/q', qos: 2, isDup: true, isRetained: true });
  t.equal(full.payload.toString(), 'b');
  t.match(read(reader, publish({ topic: 'vote/r', qos: 0, messageId: undefined })), { topic: 'vote/r', id: 0, qos: 0 });
});

t.test('topic aliases', async (t) => {
  const reader = new PublishReader5();
  const alias = (topicAlias: number, topic = '') => publish({ topic, properties: { topicAlias } });
  t.equal(
    codeWhile(() => read(reader, alias(3))),
    0x82,
    'unknown',
  );
  t.equal(read(reader, alias(3, 'vote/a')).topic, 'vote/a');
  t.equal(read(reader, publish()).topic, 'vote/q');
  t.equal(read(reader, alias(3)).topic, 'vote/a');
  t.equal(read(reader, alias(16, 'vote/b')).topic, 'vote/b');
  t.equal(read(reader, alias(3, 'vote/c')).topic, 'vote/c', 'another topic for the same alias');
  t.equal(read(reader, alias(3)).topic, 'vote/c');
  t.equal(read(reader, alias(16)).topic, 'vote/b');
  t.equal(
    codeWhile(() => read(reader, alias(17, 'vote/a'))),
    0x94,
  );
  t.equal(
    codeWhile(() => read(reader, hex('32 08 00 00 00 07 03 23 00 00'))),
    0x94,
    'alias 0',
  );
  t.equal(
    codeWhile(() => read(reader, hex('32 05 00 00 00 07 00'))),
    0x82,
    'neither topic nor alias',
  );
  t.equal(
    codeWhile(() => read(new PublishReader5(), alias(3))),
    0x82,
    'aliases end with the connection',
  );
  // The bytes of the vote `b` in poll q7: with an alias that is new, and then known.
  t.equal(alias(1, 'vote/q7').length, 18);
  t.equal(alias(1).length, 11);
});

t.test('a PUBLISH that is not right has the reason code of the specification', async (t) => {
  for (const [name, text, code] of [
    ['QoS 3', '36 08 00 03 61 2f 62 00 01 00', 0x81],
    ['DUP with QoS 0', '38 06 00 03 61 2f 62 00', 0x81],
    ['packet id 0', '32 08 00 03 61 2f 62 00 00 00', 0x81],
    ['a wildcard', '30 06 00 03 61 2f 23 00', 0x81],
    ['no properties', '32 07 00 03 61 2f 62 00 01', 0x81],
    ['nothing', '30 00', 0x81],
    ['properties beyond the end', '30 07 00 03 61 2f 62 05 01', 0x81],
    ['a property of CONNECT', '30 0b 00 03 61 2f 62 05 11 00 00 00 01', 0x81],
    ['a subscription identifier', '30 08 00 03 61 2f 62 02 0b 01', 0x82],
    ['an alias twice', '30 0c 00 03 61 2f 62 06 23 00 01 23 00 01', 0x82],
    ['payload format 2', '30 08 00 03 61 2f 62 02 01 02', 0x82],
    ['a wildcard in the response topic', '30 0a 00 03 61 2f 62 04 08 00 01 2b', 0x81],
  ] as const) {
    t.equal(
      codeWhile(() => read(new PublishReader5(), hex(text))),
      code,
      name,
    );
  }
});

t.test('packets of the client are checked before Aedes gets them', async (t) => {
  for (const [name, text, code] of [
    ['PUBACK without a packet id', '40 00', 0x81],
    ['PUBACK with packet id 0', '40 02 00 00', 0x81],
    ['PUBACK with flags', '41 02 00 01', 0x81],
    ['PUBACK with another property', '40 09 00 01 00 05 11 00 00 00 01', 0x81],
    ['PUBACK with more than properties', '40 05 00 01 00 00 00', 0x81],
    ['SUBSCRIBE without a filter', '82 03 00 01 00', 0x81],
    ['SUBSCRIBE without its flags', '80 08 00 01 00 00 01 61 00 00', 0x81],
    ['SUBSCRIBE with QoS 3', '82 07 00 01 00 00 01 61 03', 0x82],
    ['SUBSCRIBE with reserved bits', '82 07 00 01 00 00 01 61 40', 0x81],
    ['SUBSCRIBE with Retain Handling 3', '82 07 00 01 00 00 01 61 30', 0x82],
    ['SUBSCRIBE with a subscription identifier', '82 09 00 01 02 0b 05 00 01 61 00', 0xa1],
    ['SUBSCRIBE with subscription identifier 0', '82 09 00 01 02 0b 00 00 01 61 00', 0x82],
    ['No Local for a shared subscription', '82 10 00 01 00 00 0a 24 73 68 61 72 65 2f 67 2f 61 04', 0x82],
    ['SUBSCRIBE with # in the middle', '82 09 00 01 00 00 03 23 2f 61 00', 0x81],
    ['UNSUBSCRIBE without a filter', 'a2 03 00 01 00', 0x81],
    ['PINGREQ with a payload', 'c0 01 00', 0x81],
    ['DISCONNECT with another property', 'e0 07 00 05 27 00 00 00 01', 0x81],
    ['DISCONNECT that asks for what ended to be kept', 'e0 07 00 05 11 00 00 00 01', 0x82],
    ['AUTH', 'f0 00', 0x82],
    ['CONNACK', '20 03 00 00 00', 0x82],
    ['type 0', '00 00', 0x81],
  ] as const) {
    const { from, sent, toAedes } = translator();
    t.equal(
      codeWhile(() => from(hex(text))),
      code,
      name,
    );
    t.same([...sent, ...toAedes], [], name);
  }
});

t.test('DISCONNECT with or without the will, and a new expiry', async (t) => {
  const made = translator({ properties: { sessionExpiryInterval: 60 } });
  t.equal(made.from(hex('e0 00'))?.toString('hex'), 'e000');
  t.match(made.translator, { left: 'without will', expirySeconds: 60 });
  const changed = translator({ properties: { sessionExpiryInterval: 60 } }, { maxExpirySeconds: 100 });
  changed.from({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 5, reasonString: 'bye' } });
  t.equal(changed.translator.expirySeconds, 5);
  changed.from({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 1000 } });
  t.equal(changed.translator.expirySeconds, 100);
  const withWill = translator();
  t.equal(withWill.from(hex('e0 01 04'))?.toString('hex'), 'e000', 'Aedes does not know of wills');
  t.equal(withWill.translator.left, 'with will');
  for (const code of ['80', '83', '93']) {
    const failing = translator();
    failing.from(hex(`e0 01 ${code}`));
    t.equal(failing.translator.left, 'with will', `after 0x${code}, the will is published`);
  }
});

t.test('every reason of a rejected vote, with and without its text', async (t) => {
  for (const reason of REASONS) {
    for (const [type, cmd] of [
      [PUBACK, 'puback'],
      [PUBREC, 'pubrec'],
    ] as const) {
      const code = codeOfRejection(reason);
      const { translator: wants } = translator();
      t.match(
        parsed(wants.acknowledgement(type, 258, code, reason), 5),
        [{ cmd, messageId: 258, reasonCode: code, properties: { reasonString: reason } }],
        reason,
      );
      const { translator: shy } = translator({ properties: { requestProblemInformation: false } });
      t.equal(shy.acknowledgement(type, 258, code, reason).toString('hex'), `${type}0040102${code.toString(16)}00`);
      const { translator: old } = translator({}, { givesReasons: false });
      t.equal(old.acknowledgement(type, 258, code, reason).toString('hex'), `${type}0020102`);
      const { translator: small } = translator({ properties: { maximumPacketSize: 8 } });
      t.equal(small.acknowledgement(type, 258, code, reason).length, 6);
    }
  }
  t.equal(translator().translator.acknowledgement(PUBACK, 1, 0x83, 'malformed-json').length, 23);
});

t.test('whatever the bytes, reading ends with a packet or with a violation of the protocol', async () => {
  const seeds = [
    connectBytes({
      properties: { sessionExpiryInterval: 9, userProperties: { a: 'b' } },
      will: { topic: 'x', payload: 'y', qos: 1, retain: false, properties: { willDelayInterval: 1 } },
    }),
    publish({ properties: { topicAlias: 1, userProperties: { a: 'b' }, correlationData: Buffer.from('c') } }),
    packet5({ cmd: 'puback', messageId: 3, reasonCode: 0x10, properties: { reasonString: 'x' } }),
    packet5({ cmd: 'pubrec', messageId: 3, reasonCode: 0x80 }),
    packet5({ cmd: 'pubcomp', messageId: 3, reasonCode: 0x92 }),
    packet5({ cmd: 'pubrel', messageId: 3, reasonCode: 0x92, properties: { userProperties: { a: 'b' } } }),
    packet5({ cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: 'poll/q', qos: 1, rh: 1, rap: true }] }),
    packet5({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['poll/q'] }),
    packet5({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 3 } }),
    packet5({ cmd: 'auth', reasonCode: 0, properties: { authenticationMethod: 'x' } }),
    hex('c0 00'),
  ];
  const change = fc.record({ at: fc.nat(80), to: fc.nat(255), cut: fc.nat(8) });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(change, { maxLength: 4 }), (seed, changes) => {
      let bytes = Buffer.from(seed);
      for (const { at, to, cut } of changes) {
        if (at < bytes.length) bytes[at] = to;
        else if (bytes.length - cut > 1) bytes = bytes.subarray(0, bytes.length - cut);
      }
      const length = frameLength(bytes, 0);
      // The gate passes only whole packets on.
      const whole = length > 0 && length <= bytes.length ? bytes.subarray(0, length) : undefined;
      if (!whole) return;
      const type = (whole[0] as number) >> 4;
      try {
        if (type === 1) {
          if (isConnect5(whole, 0)) readConnect(whole, 0, whole.length);
        } else if (type === 3) read(new PublishReader5(), whole);
        else if (type === 6) translator().translator.release(whole, 0, whole.length);
        else translator().from(whole);
      } catch (error) {
        if (!(error instanceof ProtocolViolation)) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
});

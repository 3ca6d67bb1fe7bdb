import t from 'tap';
import { Mqtt5Error } from '../../../../broker/connection/mqtt5/codes.ts';
import { connectForAedes } from '../../../../broker/connection/mqtt5/connect.ts';
import { connectBytes, connectOf, parsed, translator } from './translator.ts';

/** The fields of CONNECT up to the properties; the flags are clean start. */
const HEAD = '00 04 4d 51 54 54 05 02 00 3c';
const ID = '00 01 61';

function hex(text: string): Buffer {
  const body = Buffer.from(text.replaceAll(' ', ''), 'hex');
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

function codeOf(read: () => unknown): number {
  try {
    read();
    return 0;
  } catch (error) {
    return error instanceof Mqtt5Error ? error.code : 0x81;
  }
}

t.test('CONNECT is read with its properties and its will', async (t) => {
  const will = {
    topic: 'device/d/status',
    payload: Buffer.from('{}'),
    qos: 1 as const,
    retain: true,
    properties: { willDelayInterval: 7, contentType: 'json', userProperties: { a: 'b' } },
  };
  const properties = {
    sessionExpiryInterval: 90,
    receiveMaximum: 3,
    maximumPacketSize: 200,
    requestProblemInformation: false,
    userProperties: { a: ['b', 'c'] },
  };
  const connect = connectOf(connectBytes({ properties, will, username: 'd', password: Buffer.from('secret') }));
  t.match(connect, {
    clientId: 'd',
    user: 'd',
    keepAlive: 60,
    isCleanStart: true,
    sessionExpirySeconds: 90,
    receiveMaximum: 3,
    maximumPacketSize: 200,
    wantsReasons: false,
    will: { topic: 'device/d/status', qos: 1, isRetained: true, delaySeconds: 7 },
  });
  t.equal(connect.password?.toString(), 'secret');
  t.match(connectOf(connectBytes()), {
    sessionExpirySeconds: 0,
    receiveMaximum: 65_535,
    maximumPacketSize: Number.POSITIVE_INFINITY,
    wantsReasons: true,
    will: undefined,
  });
});

t.test('what CONNECT may not say has the reason code of the specification', async (t) => {
  const cases: Record<string, readonly [string, number]> = {
    'a property twice': [`${HEAD} 0a 11 00000001 11 00000001 ${ID}`, 0x82],
    'Receive Maximum 0': [`${HEAD} 03 21 0000 ${ID}`, 0x82],
    'Maximum Packet Size 0': [`${HEAD} 05 27 00000000 ${ID}`, 0x82],
    'Request Problem Information 2': [`${HEAD} 02 17 02 ${ID}`, 0x82],
    'authentication data without a method': [`${HEAD} 04 16 0001 61 ${ID}`, 0x82],
    'an authentication method': [`${HEAD} 04 15 0001 61 ${ID}`, 0x8c],
    'a property of PUBLISH': [`${HEAD} 03 23 0001 ${ID}`, 0x81],
    'a property of CONNACK': [`${HEAD} 04 12 0001 61 ${ID}`, 0x81],
    'an unknown property': [`${HEAD} 02 7f 00 ${ID}`, 0x81],
    'properties that end in a property': [`${HEAD} 03 11 0000 ${ID}`, 0x81],
    'properties beyond the packet': [`${HEAD} 7f 11 00000001 ${ID}`, 0x81],
    'a length of five bytes': [`${HEAD} 8080808001 ${ID}`, 0x81],
    'a length that is longer than needed': [`${HEAD} 8000 ${ID}`, 0x81],
    'U+0000 in a user property': [`${HEAD} 07 26 0001 00 0001 61 ${ID}`, 0x81],
    'more than its fields': [`${HEAD} 00 ${ID} 00`, 0x81],
    'no client id': [`${HEAD} 00`, 0x81],
    'the reserved flag': [`${HEAD.replace('02 00 3c', '03 00 3c')} 00 ${ID}`, 0x81],
    'a will QoS without a will': [`${HEAD.replace('02 00 3c', '0a 00 3c')} 00 ${ID}`, 0x81],
    'will QoS 3': [`${HEAD.replace('02 00 3c', '1e 00 3c')} 00 ${ID} 00 0001 61 0000`, 0x81],
    'a will with a topic alias': [`${HEAD.replace('02 00 3c', '06 00 3c')} 00 ${ID} 03 23 0001 0001 61 0000`, 0x81],
    'a will with a wildcard in its response topic': [
      `${HEAD.replace('02 00 3c', '06 00 3c')} 00 ${ID} 04 08 0001 23 0001 61 0000`,
      0x81,
    ],
  };
  for (const [name, [text, code]] of Object.entries(cases))
    t.equal(
      codeOf(() => connectOf(hex(text))),
      code,
      name,
    );
  t.equal(
    codeOf(() => connectOf(hex(`${HEAD} 00 ${ID}`))),
    0,
    'the rest of these packets is right',
  );
});

t.test('Aedes is told only who the client is, and whether its session is kept', async (t) => {
  for (const isClean of [true, false]) {
    const [packet] = parsed(connectForAedes('d', isClean), 4);
    t.match(packet, { cmd: 'connect', protocolVersion: 4, clientId: 'd', clean: isClean, keepalive: 0 });
    t.notMatch(packet, { will: {} });
    t.notMatch(packet, { username: String });
  }
  for (const [clean, sessionExpiryInterval, isClean] of [
    [true, 0, true],
    [true, 5, false],
    [false, 0, false],
    [false, 5, false],
  ] as const) {
    const { translator: made } = translator({ clean, properties: { sessionExpiryInterval } });
    t.equal(made.isClean, isClean, `clean start ${clean}, expiry ${sessionExpiryInterval}`);
  }
  const will = { topic: 'device/d/status', payload: Buffer.from('{}'), qos: 1 as const, retain: true };
  const delayed = { ...will, properties: { willDelayInterval: 9 } };
  const kept = translator({ will: delayed, properties: { sessionExpiryInterval: 60 } }).translator;
  t.equal(kept.delayedWill?.delaySeconds, 9);
  const short = translator({ will: delayed }).translator;
  t.equal(short.delayedWill, undefined, 'a session that ends at once has no delay');
});

t.test('a client without an id gets its user name', async (t) => {
  const { translator: made } = translator({ clientId: '', username: 'seat-1', password: 'x' });
  t.equal(made.clientId, 'seat-1');
  t.match(parsed(made.welcome(false), 5)[0], { properties: { assignedClientIdentifier: 'seat-1' } });
  t.equal(translator({ clientId: '' }).translator.clientId, '');
  const secretOnly = connectOf(hex(`${HEAD.replace('02 00 3c', '42 00 3c')} 00 ${ID} 0001 70`));
  t.match(secretOnly, { user: undefined, password: Buffer.from('p') });
});

t.test('CONNACK says what is offered, and only what fits', async (t) => {
  const welcome = (more?: object, options?: object) => parsed(translator(more, options).translator.welcome(false), 5);
  const [connack] = welcome({ properties: { sessionExpiryInterval: 60 } }, { maxExpirySeconds: 10 });
  t.match(connack, {
    reasonCode: 0,
    sessionPresent: false,
    properties: {
      sessionExpiryInterval: 10,
      receiveMaximum: 512,
      maximumPacketSize: 4096,
      topicAliasMaximum: 16,
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
    },
  });
  const [uncapped] = welcome({ properties: { sessionExpiryInterval: 60 } });
  t.equal((uncapped as { properties: Record<string, unknown> }).properties.sessionExpiryInterval, undefined);
  const [forEver] = welcome({ properties: { sessionExpiryInterval: 0xffff_ffff } });
  t.match(forEver, { properties: { sessionExpiryInterval: 86_400 } });
  t.match(parsed(translator().translator.welcome(true), 5)[0], { sessionPresent: true });
  const [small] = welcome({ properties: { maximumPacketSize: 20 } });
  t.match(small, { reasonCode: 0 });
  t.equal(
    codeOf(() => translator({ properties: { maximumPacketSize: 4 } })),
    0x95,
  );
});

t.test('the return codes of MQTT 3.1.1 become reason codes, with the reason', async (t) => {
  for (const [returnCode, reasonCode] of [
    [1, 0x84],
    [2, 0x85],
    [3, 0x88],
    [4, 0x86],
    [5, 0x87],
    [6, 0x80],
  ] as const) {
    const { translator: made } = translator();
    t.match(parsed(made.refusal(returnCode, 'because of that'), 5)[0], {
      reasonCode,
      properties: { reasonString: 'because of that' },
    });
  }
  const { translator: made } = translator({ properties: { maximumPacketSize: 12 } });
  t.equal(made.refusal(4, 'because of that').toString('hex'), '2003008600', 'too long for the client');
});

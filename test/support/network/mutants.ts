import { generate, type Packet } from 'mqtt-packet';
import { randomOf } from './races.ts';

/** A connection attempt with packets that are broken, or at least strange. It depends only on its seed. */
export interface Mutant {
  readonly via: 'tcp' | 'ws';
  /** A valid CONNECT that is sent first, and answered before the packets follow; undefined: the packets come first. */
  readonly connect: Buffer | undefined;
  readonly packets: readonly Buffer[];
}

type Random = () => number;

/** Most packets end a connection, so the first ones count. */
const MAX_PACKETS = 4;
const MAX_MUTATIONS = 3;
/** Bytes at which parsers go wrong: ends of ranges, wildcards, and parts of malformed UTF-8. */
const NASTY = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0x23, 0x2b, 0x2f, 0xc0, 0xed, 0xf8] as const;
const LEVELS = [3, 4, 5] as const;

/** @param index which of the mutants of the seed */
export function mutantOf(seed: number, index: number): Mutant {
  const random = randomOf(seed * 1_000_003 + index);
  const level = pick(random, LEVELS);
  const kinds = Object.values(packetsOf(level, `m${index % 50}`));
  const connect = kinds[0] as Buffer;
  const isAfter = random() < 0.6;
  const count = 1 + Math.floor(random() * MAX_PACKETS);
  const one = () => mutated(random, pick(random, !isAfter && random() < 0.7 ? [connect] : kinds), kinds);
  return {
    via: random() < 0.5 ? 'tcp' : 'ws',
    connect: isAfter ? connect : undefined,
    packets: Array.from({ length: count }, one),
  };
}

/** A valid packet of every type that the version has, those of servers too. CONNECT is the first. */
export function packetsOf(protocolVersion: 3 | 4 | 5, clientId: string): Record<string, Buffer> {
  const is5 = protocolVersion === 5;
  const properties = (some: object) => (is5 ? { properties: some } : {});
  const userProperties = { a: 'b' };
  const will = { topic: `device/${clientId}/status`, payload: Buffer.from('{}'), qos: 1, retain: false };
  const bytes = (packet: object) => generate(packet as Packet, { protocolVersion });
  const answer = { messageId: 1, reasonCode: 0, ...properties({ reasonString: 'because', userProperties }) };
  const kinds: Record<string, Buffer> = {
    connect: bytes({
      cmd: 'connect',
      clientId,
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion,
      clean: true,
      keepalive: 60,
      username: 'u',
      password: Buffer.from('p'),
      will: { ...will, ...properties({ willDelayInterval: 1, contentType: 'x', userProperties }) },
      ...properties({ sessionExpiryInterval: 60, receiveMaximum: 5, topicAliasMaximum: 3, userProperties }),
    }),
    connack: bytes({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: false }),
    subscribe: bytes({
      cmd: 'subscribe',
      messageId: 2,
      subscriptions: [
        { topic: 'poll/q', qos: 1, nl: false, rap: true, rh: 1 },
        { topic: `receipt/${clientId}`, qos: 0, nl: false, rap: false, rh: 2 },
      ],
      ...properties({ userProperties }),
    }),
    suback: bytes({ cmd: 'suback', messageId: 2, granted: [0], ...properties({ reasonString: 'x' }) }),
    unsubscribe: bytes({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['poll/q', 'poll/r'] }),
    unsuback: bytes({ cmd: 'unsuback', messageId: 3, granted: [0] }),
    pingreq: bytes({ cmd: 'pingreq' }),
    pingresp: bytes({ cmd: 'pingresp' }),
    disconnect: bytes({ cmd: 'disconnect', reasonCode: 4, ...properties({ sessionExpiryInterval: 9 }) }),
  };
  for (const cmd of ['puback', 'pubrec', 'pubrel', 'pubcomp']) kinds[cmd] = bytes({ cmd, ...answer });
  for (const qos of [0, 1, 2]) {
    kinds[`publish at QoS ${qos}`] = bytes({
      cmd: 'publish',
      topic: 'vote/q',
      payload: Buffer.from(qos === 1 ? '{"c":"b","n":7}' : 'b'),
      qos,
      messageId: 5,
      dup: false,
      retain: false,
      ...properties({ payloadFormatIndicator: true, topicAlias: 2, messageExpiryInterval: 9, correlationData: 'c' }),
    });
  }
  // AUTH exists only in MQTT 5; in 3.1.1, its type is reserved.
  kinds.auth = is5 ? Buffer.from('f00a1808150006', 'hex') : Buffer.from([0xf0, 0]);
  return kinds;
}

function mutated(random: Random, packet: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(packet);
  for (let i = Math.ceil(random() * MAX_MUTATIONS); i > 0; i--) bytes = pick(random, MUTATIONS)(random, bytes, others);
  if (bytes.length === 0) return noise(random, 4);
  // With the right length, the fields are read; otherwise most mutants would be cut or wait for more bytes.
  return random() < 0.7 ? withLength(bytes) : bytes;
}

type Mutation = (random: Random, bytes: Buffer, others: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  // Another bit, another byte.
  (random, bytes) => withByte(bytes, at(random, bytes), (byte) => byte ^ (1 << Math.floor(random() * 8))),
  (random, bytes) => withByte(bytes, at(random, bytes), () => pick(random, NASTY)),
  (random, bytes) => withByte(bytes, at(random, bytes), () => random() * 256),
  // Other flags, another type.
  (random, bytes) => withByte(bytes, 0, (byte) => (byte & 0xf0) | (random() * 16)),
  (random, bytes) => withByte(bytes, 0, (byte) => (byte & 0x0f) | (Math.floor(random() * 16) << 4)),
  // Bytes that are missing, repeated, or too many.
  (random, bytes) => bytes.subarray(0, at(random, bytes)),
  (random, bytes) => cut(bytes, at(random, bytes), 1 + Math.floor(random() * 4), Buffer.alloc(0)),
  (random, bytes) => cut(bytes, at(random, bytes), 0, noise(random, 1 + random() * 8)),
  (random, bytes) => cut(bytes, at(random, bytes), 0, bytes.subarray(at(random, bytes))),
  (random, bytes) => Buffer.concat([bytes, noise(random, random() < 0.05 ? 5_000 : 20)]),
  // Half of one packet, and half of another.
  (random, bytes, others) => {
    const other = pick(random, others);
    return Buffer.concat([bytes.subarray(0, at(random, bytes)), other.subarray(at(random, other))]);
  },
  // Noise only.
  (random) => noise(random, 1 + random() * 64),
];

/** Makes the Remaining Length right [MQTT-2.2.3], for packets of which it takes one or two bytes. */
function withLength(bytes: Buffer): Buffer {
  const start = (bytes[1] ?? 0) < 0x80 ? 2 : 3;
  const body = bytes.subarray(start);
  const length = body.length < 0x80 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([bytes[0] ?? 0, ...length]), body]);
}

function withByte(bytes: Buffer, index: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (index < copy.length) copy[index] = change(copy[index] as number);
  return copy;
}

function cut(bytes: Buffer, index: number, removed: number, added: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, index), added, bytes.subarray(index + removed)]);
}

const at = (random: Random, bytes: Buffer): number => Math.floor(random() * bytes.length);
const noise = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

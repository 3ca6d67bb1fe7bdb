import { generate, type IConnackPacket, type Packet, parser } from 'mqtt-packet';
import type { Test } from 'tap';
import { eventually } from '../eventually.ts';
import { type Line, openLine, type Via } from './line.ts';

/** The packets of a version of MQTT as a test expects them. */
// biome-ignore lint/suspicious/noExplicitAny: tests read packets of every kind
export type Received = any;

/** A connection in MQTT 5 on which a test writes and reads packets, without a client in between. */
export interface Line5 {
  readonly line: Line;
  /** Everything received so far. */
  readonly packets: readonly Received[];
  /** The answer to CONNECT. */
  readonly connack: IConnackPacket & Received;
  send(packet: object): void;
  /** Resolves with the next packet of a kind that this function has not returned yet. */
  next(cmd: string): Promise<Received>;
  /** Resolves with the DISCONNECT that ends the connection, once it has ended; undefined if there is none. */
  farewell(): Promise<Received>;
  /** Publishes at QoS 1, and resolves with the PUBACK. */
  vote(payload: string, more?: object): Promise<Received>;
  /** Subscribes at QoS 1, and resolves with the reason codes. */
  subscribe(...filters: (string | { topic: string; qos?: number; rh?: number; rap?: boolean })[]): Promise<number[]>;
  /** Leaves with DISCONNECT. */
  leave(more?: object): Promise<void>;
  /** Cuts the connection. */
  cut(): void;
}

/** Connects in MQTT 5. @param more as in mqtt-packet */
export async function connect5(
  t: Pick<Test, 'teardown'>,
  to: { mqtt: string; http: string },
  clientId: string,
  more: object = {},
  via: Via = 'tcp',
  localAddress?: string,
): Promise<Line5> {
  const line = await openLine(t, to, via, localAddress);
  const reader = parser({ protocolVersion: 5 });
  const packets: Received[] = [];
  const taken = new Set<Received>();
  let nextId = 1;
  reader.on('packet', (packet) => packets.push(packet));
  line.stream.on('data', (chunk: Buffer) => reader.parse(chunk));
  const send = (packet: object) => void line.stream.write(generate(packet as Packet, { protocolVersion: 5 }));
  const next = (cmd: string) =>
    eventually(`${cmd} for ${clientId}`, async () => {
      const found = packets.find((packet) => packet.cmd === cmd && !taken.has(packet));
      if (!found && line.isClosed()) throw new Error(`closed before ${cmd}`);
      if (found) taken.add(found);
      return found;
    });
  send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId,
    clean: true,
    keepalive: 60,
    ...more,
  });
  const connack = await next('connack');
  return {
    line,
    packets,
    connack,
    send,
    next,
    farewell: async () => {
      await line.closed();
      return packets.find(({ cmd }) => cmd === 'disconnect');
    },
    vote: (payload, options = {}) => {
      const messageId = nextId++;
      send({ cmd: 'publish', topic: 'vote/q', payload, qos: 1, messageId, dup: false, retain: false, ...options });
      return next('puback');
    },
    subscribe: async (...filters) => {
      const subscriptions = filters.map((filter) => ({
        qos: 1,
        ...(typeof filter === 'string' ? { topic: filter } : filter),
      }));
      send({ cmd: 'subscribe', messageId: nextId++, subscriptions });
      return (await next('suback')).granted;
    },
    leave: async (options = {}) => {
      send({ cmd: 'disconnect', reasonCode: 0, ...options });
      await line.closed();
    },
    cut: () => line.stream.destroy(),
  };
}

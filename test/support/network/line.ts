import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type Packet } from 'mqtt-packet';
import type { Test } from 'tap';
import { createWebSocketStream, WebSocket } from 'ws';
import { eventually } from '../eventually.ts';

/** How a line reaches the broker. */
export type Via = 'tcp' | 'ws';

/** A connection on which a test writes and reads bytes, without an MQTT client in between. */
export interface Line {
  readonly stream: Duplex;
  /** Everything received so far. */
  readonly received: () => Buffer;
  readonly isClosed: () => boolean;
  /** Sends a packet, or bytes in hexadecimal with spaces. */
  send(packet: Packet | string | Buffer): void;
  /** Resolves with the next `length` bytes in hexadecimal, once they have arrived. */
  next(length: number): Promise<string>;
  /** Resolves once the broker has closed the line. */
  closed(): Promise<void>;
}

/**
 * Opens a line to the port of a broker, or to the HTTP server at its `http` address.
 *
 * @param localAddress the address that the line comes from
 */
export async function openLine(
  t: Pick<Test, 'teardown'>,
  to: { mqtt: string; http: string },
  via: Via = 'tcp',
  localAddress?: string,
) {
  const stream = via === 'tcp' ? overTcp(to.mqtt, localAddress) : overWebSocket(to.http, localAddress);
  let received = Buffer.alloc(0);
  let at = 0;
  let isClosed = false;
  stream.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  stream.on('error', () => {});
  stream.on('close', () => (isClosed = true));
  stream.on('end', () => (isClosed = true));
  t.teardown(() => stream.destroy());
  if (via === 'tcp') await once(stream, 'connect');
  const line: Line = {
    stream,
    received: () => received,
    isClosed: () => isClosed,
    send: (packet) => void stream.write(bytesOf(packet)),
    next: (length) =>
      eventually(`${length} bytes`, async () => {
        if (received.length < at + length) {
          if (isClosed) throw new Error(`closed after ${received.subarray(at).toString('hex')}`);
          return undefined;
        }
        const bytes = received.subarray(at, at + length);
        at += length;
        return spaced(bytes);
      }),
    closed: async () => {
      await eventually('the end of the line', async () => (isClosed ? true : undefined));
    },
  };
  return line;
}

/** CONNECT of MQTT 3.1.1; further settings as in mqtt-packet. */
export function connectPacket(clientId: string, more: object = {}): Packet {
  return {
    cmd: 'connect',
    clientId,
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    ...more,
  } as Packet;
}

/** A PING that is answered shows that everything before it was accepted and has been read. */
export async function isAlive(line: Line): Promise<boolean> {
  const before = line.received().length;
  line.send('c0 00');
  for (let i = 0; i < 200 && !line.isClosed(); i++) {
    if (
      line
        .received()
        .subarray(before)
        .includes(Buffer.from([0xd0, 0]))
    )
      return true;
    await sleep(10);
  }
  return false;
}

export function bytesOf(packet: Packet | string | Buffer): Buffer {
  if (Buffer.isBuffer(packet)) return packet;
  return typeof packet === 'string' ? Buffer.from(packet.replaceAll(' ', ''), 'hex') : generate(packet);
}

export function spaced(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function overTcp(mqtt: string, localAddress: string | undefined): Duplex {
  const { hostname, port } = new URL(mqtt);
  return connect({ port: Number(port), host: hostname, localAddress });
}

function overWebSocket(http: string, localAddress: string | undefined): Duplex {
  return createWebSocketStream(new WebSocket(`${http.replace('http', 'ws')}/mqtt`, 'mqtt', { localAddress }));
}

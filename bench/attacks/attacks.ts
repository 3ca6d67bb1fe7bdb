import type { Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { connectPacket, keepOpen, type Target } from './target.ts';

/** What one attacker does to a server, on and on. */
export interface Attack {
  /** For `--only`. */
  readonly name: string;
  /** For the table. */
  readonly title: string;
  readonly start: (target: Target) => void;
}

const SILENT_SOCKETS = 10_000;
/** How many sockets are opened at once, and the pause in ms between that. */
const [OPENED_TOGETHER, OPEN_EVERY_MS] = [500, 50];
const BYTE_EVERY_MS = 200;
/** A PUBLISH packet of 42 bytes, without its end. */
const HALF = Buffer.from([0x32, 40, 0, 9, 0x76, 0x6f]);
/** How many votes one write contains, and how many writes follow each other before other work of the attacker. */
const [VOTES_TOGETHER, WRITES_TOGETHER] = [64, 200];

/** The attacks that a good device on another address has to bear. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'silent',
    title: '10,000 silent sockets, opened again when they are closed',
    start: (target) => openMore(target, 0),
  },
  {
    name: 'bytes',
    title: '1,000 CONNECTs byte by byte',
    start: (target) => keepOpen(1_000, 100, (i) => byteByByte(target, connectPacket(`b${i}`))),
  },
  {
    name: 'huge',
    title: 'huge lengths, on 50 sockets by turns',
    start: (target) => keepOpen(50, 0, () => target.toBroker(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]))),
  },
  {
    name: 'half',
    title: '300 half packets',
    start: (target) => keepOpen(300, 100, (i) => target.toBroker(Buffer.concat([connectPacket(`h${i}`), HALF]))),
  },
  {
    name: 'subscribe',
    title: 'SUBSCRIBE storms on 3 connections',
    start: (target) => keepOpen(3, 100, (i) => subscribing(target.toBroker(connectPacket(`s${i}`)))),
  },
  {
    name: 'connect',
    title: 'CONNECT storm, 100 at a time',
    start: (target) => keepOpen(100, 0, () => connecting(target)),
  },
  {
    name: 'flood',
    title: 'ten devices that flood the broker with votes',
    start: (target) => keepOpen(10, 100, (i) => flooding(target.toBroker(connectPacket(`f${i}`)))),
  },
  {
    name: 'viewers',
    title: '500 viewers that never read',
    start: (target) =>
      keepOpen(500, 500, () => {
        return target.toWeb('GET /api/polls/demo/stream HTTP/1.1\r\nHost: localhost\r\n\r\n').pause();
      }),
  },
  {
    name: 'guests',
    title: 'joining as guests in 20 loops',
    start: (target) => target.ask(20, 'POST', '/api/rooms/main/join', '{}'),
  },
  {
    name: 'reads',
    title: 'reads of the API in 20 loops',
    start: (target) => target.ask(20, 'GET', '/api/polls/demo/result'),
  },
];

function openMore(target: Target, first: number): void {
  keepOpen(Math.min(OPENED_TOGETHER, SILENT_SOCKETS - first), 1_000, () => target.toBroker(), first);
  const next = first + OPENED_TOGETHER;
  if (next < SILENT_SOCKETS) setTimeout(() => openMore(target, next), OPEN_EVERY_MS);
}

/** Sends a packet byte by byte, but never its last byte. */
function byteByByte(target: Target, packet: Buffer): Socket {
  const socket = target.toBroker();
  let at = 0;
  const timer = setInterval(() => {
    if (at < packet.length - 1) socket.write(packet.subarray(at, ++at));
  }, BYTE_EVERY_MS);
  return socket.on('close', () => clearInterval(timer));
}

function subscribing(socket: Socket): Socket {
  const subscriptions = Array.from({ length: 15 }, (_, i) => ({ topic: `poll/p${i}`, qos: 1 as const }));
  const packet = generate({ cmd: 'subscribe', messageId: 1, subscriptions });
  const send = () => {
    while (!socket.destroyed && socket.write(packet));
  };
  send();
  return socket.on('drain', send).resume();
}

/** Connects under a new id each time, and leaves once it is let in. */
function connecting(target: Target): Socket {
  const socket = target.toBroker(connectPacket(`c${Math.random().toString(36).slice(2)}`));
  return socket.once('data', () => socket.destroy());
}

function flooding(socket: Socket): Socket {
  const vote = (messageId: number) =>
    generate({ cmd: 'publish', topic: 'vote/demo', payload: 'b', qos: 1, messageId, dup: false, retain: false });
  const votes = Buffer.concat(Array.from({ length: VOTES_TOGETHER }, (_, i) => vote(i + 1)));
  const send = () => {
    for (let i = 0; i < WRITES_TOGETHER && !socket.destroyed; i++) if (!socket.write(votes)) return;
    if (!socket.destroyed) setImmediate(send);
  };
  return socket.on('drain', send).once('data', send).resume();
}

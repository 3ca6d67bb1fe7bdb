/**
 * The good devices and the operator, on an address of their own: `witness.child.js <MQTT port> <HTTP port> <operator token>`. Each
 * message from the parent process gets what was measured since the one before.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { connectPacket } from './target.ts';

const GOOD = '127.0.0.2';
const DEVICES = 10;
/** After each acknowledgement, a device votes again after about this time (ms). */
const VOTE_EVERY_MS = 50;
/** Part of that time, which differs from vote to vote so that devices do not vote in step. */
const JITTER = 0.2;
const ASK_EVERY_MS = 250;
/** How long in ms the operator waits for an answer. */
const PATIENCE_MS = 5_000;
/** Pause in ms before a device that has lost its connection connects again. */
const RECONNECT_MS = 100;

/** What was measured. */
export interface Witnessed {
  /** How long each vote took to be acknowledged, and each request of the operator to be answered, in ms. */
  readonly votesMs: readonly number[];
  readonly operatorMs: readonly number[];
  /** Requests of the operator that were refused or failed. */
  readonly operatorRefused: number;
  /** Connections that the devices lost. */
  readonly lost: number;
}

const [mqttPort, httpPort, token] = process.argv.slice(2);
const vote = generate({
  ...{ cmd: 'publish', topic: 'vote/demo', payload: 'a', qos: 1 },
  ...{ messageId: 1, dup: false, retain: false },
});
const nothing = () => ({ votesMs: [] as number[], operatorMs: [] as number[], operatorRefused: 0, lost: 0 });
let now = nothing();

for (let i = 0; i < DEVICES; i++) goOn(`good${i}`);
setInterval(ask, ASK_EVERY_MS);
process.on('message', () => {
  process.send?.(now satisfies Witnessed);
  now = nothing();
});
process.on('disconnect', () => process.exit());
// It may have ended while this process started.
if (!process.connected) process.exit();

/** Connects a device, and has it vote on and on. */
function goOn(id: string): void {
  const socket = connect({ port: Number(mqttPort), host: '127.0.0.1', localAddress: GOOD, noDelay: true });
  let sentAtMs: number | undefined;
  const send = () => {
    sentAtMs = performance.now();
    socket.write(vote);
  };
  socket.on('error', () => {}).write(connectPacket(id));
  // The first data are CONNACK, and all others one PUBACK each.
  socket.on('data', () => {
    if (sentAtMs !== undefined) now.votesMs.push(performance.now() - sentAtMs);
    setTimeout(send, VOTE_EVERY_MS * (1 - JITTER / 2 + JITTER * Math.random()));
  });
  socket.on('close', () => {
    now.lost++;
    setTimeout(() => goOn(id), RECONNECT_MS);
  });
}

/** Asks something as the operator, over a connection of its own. */
function ask(): void {
  const startMs = performance.now();
  const headers = { host: 'localhost', authorization: `Bearer ${token}` };
  const to = { port: Number(httpPort), host: '127.0.0.1', localAddress: GOOD, path: '/api/operator', agent: false };
  const asked = request({ ...to, headers }, (answer) => {
    answer.resume().on('end', () => {
      if (answer.statusCode === 200) now.operatorMs.push(performance.now() - startMs);
      else now.operatorRefused++;
    });
  });
  asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('no answer')));
  asked.on('error', () => now.operatorRefused++).end();
}

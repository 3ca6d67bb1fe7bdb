import { once } from 'node:events';
import { connect } from 'node:net';

/** Opens result streams and discards what they send, in a process of its own. */
const [port, viewers] = process.argv.slice(2).map(Number) as [number, number];
const TOGETHER = 50;

for (let at = 0; at < viewers; at += TOGETHER) {
  await Promise.all(Array.from({ length: Math.min(TOGETHER, viewers - at) }, open));
}
console.log('running');

async function open(): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => process.exit(1)).on('close', () => process.exit(1));
  await once(socket, 'connect');
  socket.write('GET /api/polls/demo/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  if (!first.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(first.toString('latin1').slice(0, 200));
  socket.resume();
}

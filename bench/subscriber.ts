import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

/** Subscribes to the votes on a broker without result streams. Counts votes by their bytes, because that costs the least. */
export async function subscribe(port: number, onVotes: (votes: number, atMs: number) => void): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    generate({ cmd: 'connect', clientId: 'viewer', protocolVersion: 4, protocolId: 'MQTT', clean: true, keepalive: 0 }),
  );
  await once(socket, 'data');
  socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'vote/demo', qos: 0 }] }));
  await once(socket, 'data');
  const size = generate({ cmd: 'publish', topic: 'vote/demo', payload: 'a', qos: 0, dup: false, retain: false }).length;
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    onVotes(Math.floor(bytes / size), performance.now());
  });
  return socket;
}

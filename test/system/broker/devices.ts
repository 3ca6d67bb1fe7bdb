import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import type { Test } from 'tap';
import { type Stage, stage } from '../../support/stage.ts';

/** Starts the product with the poll `q` open in room `hall`. */
export async function withPoll(t: Test, settings: object = {}): Promise<Stage> {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall', ...settings });
  return s;
}

/** Connects a device over a plain socket, without an MQTT client. */
export async function rawDevice(s: Stage, clientId: string): Promise<Socket> {
  const socket = connect(s.pollcast.mqttPort, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    generate({ cmd: 'connect', clientId, protocolVersion: 4, protocolId: 'MQTT', clean: true, keepalive: 60 }),
  );
  await once(socket, 'data');
  return socket;
}

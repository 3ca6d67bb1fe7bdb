import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { generate, type Packet } from 'mqtt-packet';
import type { Test } from 'tap';
import type { AedesPort } from '../../../../broker/connection/aedes-port.ts';
import { Flow } from '../../../../broker/connection/flow/flow.ts';
import { Gate } from '../../../../broker/connection/gate.ts';
import type { GateOwner } from '../../../../broker/connection/gate-owner.ts';
import type { Receiver } from '../../../../broker/connection/receiver.ts';
import type { Connect } from '../../../../broker/connection/wire/connect.ts';
import type { GateLimits } from '../../../../broker/connection/wire/limits.ts';
import type { Publish } from '../../../../broker/connection/wire/publish.ts';

export const LIMITS: GateLimits = {
  connectMs: 2_000,
  connectBytes: 64,
  packetBytes: 256,
  packetMs: 500,
  inFlight: 8,
  drainMs: 1_000,
};
export const CONNECT = generate({
  cmd: 'connect',
  clientId: 'd',
  protocolVersion: 4,
  protocolId: 'MQTT',
  clean: true,
  keepalive: 60,
});
export const PINGREQ = generate({ cmd: 'pingreq' });
export const PINGRESP = generate({ cmd: 'pingresp' });
export const subscribe = (topic = 'poll/q') =>
  generate({ cmd: 'subscribe', messageId: 7, subscriptions: [{ topic, qos: 1 }] } as Packet);
export const publish = (payload = 'b') =>
  generate({ cmd: 'publish', topic: 'vote/q', payload, qos: 1, messageId: 1, dup: false, retain: false });

/** A gate on a real socket, the device’s end of the connection, and what the gate passed on: to Aedes and to the receiver. */
export interface Passage {
  readonly device: Socket;
  readonly gate: Gate;
  readonly connects: Connect[];
  /** What Aedes got. */
  readonly got: () => Buffer;
  /** What the device got. */
  readonly answers: () => Buffer;
  readonly published: Publish[];
  readonly released: number[];
  /** Accepts the device, once CONNECT has come. */
  readonly accept: () => void;
  /** Takes the client in as Aedes does, once it is needed. */
  readonly attach: () => void;
  readonly isNeeded: () => boolean;
  readonly port: () => AedesPort | undefined;
  readonly error: Promise<Error | null>;
}

export async function gate(t: Test, flow = new Flow(1_000)): Promise<Passage> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const device = connect((server.address() as { port: number }).port, '127.0.0.1');
  device.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const chunks: Buffer[] = [];
  const answers: Buffer[] = [];
  const connects: Connect[] = [];
  const published: Publish[] = [];
  const released: number[] = [];
  const receiver: Receiver = {
    publish: (packet) => published.push(packet),
    release: (id) => released.push(id),
  };
  let mayAccept = false;
  let isNeeded = false;
  let mayAttach = false;
  let port: AedesPort | undefined;
  let ended: (error: Error | null) => void = () => {};
  const error = new Promise<Error | null>((resolve) => {
    ended = resolve;
  });
  const attachNow = () => {
    port = made.attach();
    port.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
    made.attached();
  };
  const owner: GateOwner = {
    connect: (packet) => {
      connects.push(packet);
      if (mayAccept) setImmediate(() => made.accept(receiver, packet.keepAlive));
    },
    needAedes: () => {
      isNeeded = true;
      if (mayAttach) setImmediate(attachNow);
    },
    slowed: () => {},
    closing: () => {},
    closed: ended,
  };
  const made: Gate = new Gate(socket, owner, { flow, limits: LIMITS });
  const checks = setInterval(() => made.check(performance.now()), 20);
  device.on('data', (chunk: Buffer) => answers.push(chunk));
  t.teardown(() => {
    clearInterval(checks);
    device.destroy();
    made.destroy();
    server.close();
  });
  const accept = () => {
    mayAccept = true;
    if (connects.length > 0) made.accept(receiver, connects[0]?.keepAlive);
  };
  const attach = () => {
    mayAttach = true;
    if (isNeeded) attachNow();
  };
  return {
    device,
    gate: made,
    connects,
    got: () => Buffer.concat(chunks),
    answers: () => Buffer.concat(answers),
    published,
    released,
    accept,
    attach,
    isNeeded: () => isNeeded,
    port: () => port,
    error,
  };
}

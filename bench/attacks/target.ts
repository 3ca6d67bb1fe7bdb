import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

/** Where attacks come from. Every address in 127.0.0.0/8 is one of this machine. */
const ATTACKER = '127.0.0.3';
/** Pause in ms after a request that failed. */
const RETRY_MS = 10;

/** A server under attack from one address. Nothing leaves this machine. */
export class Target {
  private readonly mqttPort: number;
  private readonly httpPort: number;

  constructor(mqttPort: number, httpPort: number) {
    this.mqttPort = mqttPort;
    this.httpPort = httpPort;
  }

  /** Opens a connection to the broker. @param first what is sent on it at once */
  toBroker(first?: Buffer): Socket {
    return open(this.mqttPort, first);
  }

  /** Opens a connection to the HTTP server. @param first what is sent on it at once */
  toWeb(first: string): Socket {
    return open(this.httpPort, Buffer.from(first));
  }

  /** Sends the same request in loops, each after the answer to the one before. */
  ask(loops: number, method: string, path: string, body = ''): void {
    const agent = new Agent({ keepAlive: true, maxSockets: loops, localAddress: ATTACKER });
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    const options = { port: this.httpPort, host: '127.0.0.1', agent, localAddress: ATTACKER, method, path, headers };
    const next = () => {
      const asked = request(options, (answer) => {
        answer.resume();
        answer.on('end', next).on('error', next);
      });
      asked.on('error', () => setTimeout(next, RETRY_MS));
      asked.end(body);
    };
    for (let i = 0; i < loops; i++) next();
  }
}

/** Keeps connections open: opens each again when it has closed. @param pauseMs how long after that */
export function keepOpen(connections: number, pauseMs: number, openOne: (i: number) => Socket, first = 0): void {
  for (let i = first; i < first + connections; i++) {
    const again = () => void openOne(i).on('close', () => setTimeout(again, pauseMs));
    again();
  }
}

/** CONNECT of MQTT 3.1.1. */
export function connectPacket(clientId: string): Buffer {
  return generate({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4 },
    ...{ clientId, clean: true, keepalive: 60 },
  });
}

function open(port: number, first: Buffer | undefined): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: ATTACKER, noDelay: true });
  socket.on('error', () => {});
  if (first) socket.write(first);
  return socket;
}

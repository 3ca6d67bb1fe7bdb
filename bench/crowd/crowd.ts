import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

/** Devices that connect at the same time: about as many as the kernel holds for a server that accepts one after the other. */
const CONNECTING = 500;
/** Addresses that devices come from, because each has only 28,000 ports. */
const ADDRESSES = 8;
/** Pause in ms before a device whose connection was refused tries again. */
const AGAIN_MS = 100;

export interface CrowdOptions {
  readonly port: number;
  readonly secret: string;
  readonly topic: string;
}

/** Votes of some devices, each one at a time. */
export interface Voting {
  /** Resolves with the latencies (ms) of all acknowledged votes. */
  stop(): Promise<number[]>;
}

interface Member {
  readonly socket: Socket;
  onPacket: () => void;
}

/** Thousands of devices that connect and wait, as cheaply as possible: bare sockets and packets that are encoded in advance. */
export class Crowd {
  private readonly options: CrowdOptions;
  private readonly members: (Member | undefined)[] = [];
  private readonly vote1: Buffer;

  constructor(options: CrowdOptions) {
    this.options = options;
    this.vote1 = generate({
      cmd: 'publish',
      topic: options.topic,
      payload: 'a',
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
    });
  }

  /** The id of a device. */
  static device(i: number): string {
    return `seat-${i}`;
  }

  /** Connects devices, and resolves when all are connected. One that is refused or cut off tries again. */
  async connect(from: number, to: number): Promise<void> {
    let next = from;
    const worker = async () => {
      while (next < to) await this.enter(next++);
    };
    await Promise.all(Array.from({ length: Math.min(CONNECTING, to - from) }, worker));
  }

  /** Cuts devices off. */
  drop(from: number, to: number): void {
    for (let i = from; i < to; i++) this.members[i]?.socket.resetAndDestroy();
  }

  /** Lets devices vote until `stop`. */
  vote(from: number, to: number): Voting {
    const latencies: number[] = [];
    let isOver = false;
    const members = this.members.slice(from, to).filter((one): one is Member => one !== undefined);
    const done = members.map(
      (member) =>
        new Promise<void>((resolve) => {
          let sentMs = performance.now();
          member.socket.once('close', () => resolve());
          member.onPacket = () => {
            latencies.push(performance.now() - sentMs);
            if (isOver) return resolve();
            sentMs = performance.now();
            member.socket.write(this.vote1);
          };
          member.socket.write(this.vote1);
        }),
    );
    return {
      stop: async () => {
        isOver = true;
        await Promise.all(done);
        return latencies;
      },
    };
  }

  close(): void {
    for (const member of this.members) member?.socket.destroy();
  }

  private async enter(i: number): Promise<void> {
    while (!(await this.tried(i))) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }

  /** Resolves with true once CONNACK has come, and with false if the connection was closed before. */
  private tried(i: number): Promise<boolean> {
    const { port, secret } = this.options;
    const device = Crowd.device(i);
    const packet = generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: device,
      clean: true,
      keepalive: 600,
      username: device,
      password: Buffer.from(secret),
    });
    return new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (i % ADDRESSES)}` });
      const member: Member = {
        socket,
        onPacket: () => {
          this.members[i] = member;
          member.onPacket = () => {};
          resolve(true);
        },
      };
      socket.setNoDelay(true);
      socket.on('data', () => member.onPacket());
      socket.on('error', () => {}).once('close', () => resolve(false));
      socket.write(packet);
    });
  }
}

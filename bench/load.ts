import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

/** One connection of the load generator. It sends encoded packets and counts acknowledgements without decoding them. */
interface Line {
  readonly socket: Socket;
  /** The number of outstanding acknowledgements. */
  open: number;
  next: number;
}

/** Packet identifiers used per connection. One packet is encoded in advance for each identifier. */
const IDS = 256;
const CHOICES = ['a', 'b', 'c'];
const CONNECTING = 50;

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly topic: string;
  /** The beginning of the client ids; by default `bench`. */
  readonly prefix?: string;
  /** The protocol level of MQTT; by default 4, which is 3.1.1. */
  readonly version?: 4 | 5;
}

/**
 * Publishes votes at QoS 1 from many connections as cheaply as possible, so that the broker and not the load generator limits
 * the measurement. Every broker gets the same packets.
 */
export class Load {
  private readonly options: LoadOptions;
  private readonly packets: Buffer[];
  private lines: Line[] = [];
  private onAck: (count: number) => void = () => {};

  constructor(options: LoadOptions) {
    this.options = options;
    this.packets = Array.from({ length: IDS }, (_, i) =>
      generate(
        {
          cmd: 'publish',
          topic: options.topic,
          payload: CHOICES[i % CHOICES.length] as string,
          qos: 1,
          messageId: i + 1,
          dup: false,
          retain: false,
        },
        { protocolVersion: options.version ?? 4 },
      ),
    );
  }

  async connect(): Promise<void> {
    const { connections } = this.options;
    for (let at = 0; at < connections; at += CONNECTING) {
      const some = Array.from({ length: Math.min(CONNECTING, connections - at) }, (_, i) => this.line(at + i));
      this.lines.push(...(await Promise.all(some)));
    }
  }

  /** Keeps `window` votes in flight on every connection for `ms`. @returns how many were acknowledged in that time */
  async saturate(ms: number, window: number): Promise<number> {
    let acknowledged = 0;
    let isRunning = true;
    this.onAck = (count) => {
      acknowledged += count;
    };
    const refill = (line: Line) => {
      const missing = window - line.open;
      if (isRunning && missing > 0) this.send(line, missing);
    };
    for (const line of this.lines) {
      line.socket.on('data', () => refill(line));
      refill(line);
    }
    await new Promise((resolve) => setTimeout(resolve, ms));
    isRunning = false;
    const result = acknowledged;
    await this.settled();
    for (const { socket } of this.lines) socket.removeAllListeners('data');
    for (const line of this.lines) this.listen(line);
    return result;
  }

  /**
   * Sends `rate` votes per second for `ms`, using all connections in turn, and measures how long each acknowledgement takes. A
   * vote is due at its time even if earlier ones are late, so that a server that stalls is charged with every vote that waits.
   *
   * @param fromMs votes that are due earlier are not measured
   */
  async probe(rate: number, ms: number, fromMs: number): Promise<{ acknowledged: number; latencies: Float64Array }> {
    const total = Math.round((rate * ms) / 1_000);
    const first = Math.round((rate * fromMs) / 1_000);
    const latencies = new Float64Array(total - first);
    let acknowledged = 0;
    const startMs = performance.now();
    const dueMs = (vote: number) => startMs + (vote * 1_000) / rate;
    // Acknowledgements of a connection come in the order of its votes, which are every `connections`-th vote.
    for (const [i, line] of this.lines.entries()) {
      let next = i;
      let bytes = 0;
      line.socket.removeAllListeners('data');
      line.socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        for (const now = performance.now(); bytes >= 4; bytes -= 4) {
          if (next >= first) latencies[next - first] = now - dueMs(next);
          next += this.lines.length;
          line.open--;
          acknowledged++;
        }
      });
    }
    for (let sent = 0; sent < total; ) {
      for (; sent < total && dueMs(sent) <= performance.now(); sent++) {
        this.send(this.lines[sent % this.lines.length] as Line, 1);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.settled();
    return { acknowledged, latencies };
  }

  /** Sends `rate` votes per second for `ms`, using all connections in turn. */
  async pace(rate: number, ms: number, onSent: (atMs: number) => void): Promise<void> {
    const startMs = performance.now();
    const total = Math.round((rate * ms) / 1000);
    for (let sent = 0; sent < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - startMs) * rate) / 1000));
      for (; sent < due; sent++) {
        this.send(this.lines[sent % this.lines.length] as Line, 1);
        onSent(performance.now());
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.settled();
  }

  close(): void {
    for (const { socket } of this.lines) socket.destroy();
    this.lines = [];
  }

  private async line(i: number): Promise<Line> {
    const socket = connect({ port: this.options.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.write(
      generate({
        cmd: 'connect',
        clientId: `${this.options.prefix ?? 'bench'}-${i}`,
        protocolVersion: this.options.version ?? 4,
        protocolId: 'MQTT',
        clean: true,
        keepalive: 0,
      }),
    );
    await once(socket, 'data');
    const line: Line = { socket, open: 0, next: 0 };
    this.listen(line);
    return line;
  }

  /** Counts acknowledgements: a PUBACK has four bytes in either version, and the broker sends nothing else. */
  private listen(line: Line): void {
    let bytes = 0;
    line.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      const acks = bytes >> 2;
      bytes &= 3;
      line.open -= acks;
      this.onAck(acks);
    });
  }

  private send(line: Line, count: number): void {
    const packets: Buffer[] = [];
    for (let i = 0; i < count; i++) packets.push(this.packets[line.next++ % IDS] as Buffer);
    line.open += count;
    line.socket.write(count === 1 ? (packets[0] as Buffer) : Buffer.concat(packets));
  }

  private async settled(): Promise<void> {
    const endMs = performance.now() + 10_000;
    while (this.lines.some(({ open }) => open > 0) && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

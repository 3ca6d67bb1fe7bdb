import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type Packet, parser } from 'mqtt-packet';
import { eventually } from '../eventually.ts';

/** The number of races that are run: 1,000 if `POLLCAST_RACES=1000`. */
export function raceCount(otherwise: number): number {
  return Number(process.env.POLLCAST_RACES ?? otherwise);
}

/** Random numbers from 0 to less than 1 that depend only on the seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One connection of a race, over a plain socket. */
export class Racer {
  readonly port: number;
  readonly socket: Socket;
  /** The code in CONNACK; undefined until it arrives. */
  code: number | undefined;
  isClosed = false;
  /** True once the broker has answered a ping. */
  isHeard = false;
  private readonly acknowledged = new Set<number>();
  private packets = 0;

  constructor(port: number) {
    this.port = port;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const packets = parser();
    packets.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connack') this.code = packet.returnCode ?? 0;
      if (packet.cmd === 'pingresp') this.isHeard = true;
      if (packet.cmd === 'puback') this.acknowledged.add(packet.messageId ?? 0);
    });
    this.socket.on('data', (bytes: Buffer) => packets.parse(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.isClosed = true));
  }

  /** Opens several sockets, on which nothing has been sent yet. */
  static async atStart(ports: readonly number[]): Promise<Racer[]> {
    const racers = ports.map((port) => new Racer(port));
    await Promise.all(racers.map(({ socket }) => once(socket, 'connect')));
    return racers;
  }

  /** Sends CONNECT, and a SUBSCRIBE behind it. */
  enter(id: string, options: { clean?: boolean; username?: string; password?: string } = {}): this {
    const { clean = true, username, password } = options;
    const login = username === undefined ? {} : { username, password: Buffer.from(password ?? '') };
    this.socket.write(
      generate({
        cmd: 'connect',
        clientId: id,
        protocolVersion: 4,
        protocolId: 'MQTT',
        clean,
        keepalive: 60,
        ...login,
      }),
    );
    const subscriptions = [`receipt/${id}`, 'poll/demo'].map((topic) => ({ topic, qos: 1 as const }));
    this.socket.write(generate({ cmd: 'subscribe', messageId: 1_000, subscriptions }));
    return this;
  }

  /** Connected as far as the device knows. */
  get isOpen(): boolean {
    return !this.isClosed && this.code === 0;
  }

  /** Asks the broker for an answer, which needs no store. */
  ping(): void {
    this.socket.write(generate({ cmd: 'pingreq' }));
  }

  /** The number of votes that were acknowledged. */
  get votes(): number {
    return this.acknowledged.size;
  }

  /** Sends a vote with QoS 1. */
  vote(topic: string, choice: string): void {
    const messageId = ++this.packets;
    this.socket.write(
      generate({ cmd: 'publish', topic, payload: choice, qos: 1, messageId, dup: false, retain: false }),
    );
  }

  /** True once every vote that was sent has been acknowledged. */
  get isAnswered(): boolean {
    return this.acknowledged.size === this.packets;
  }
}

/**
 * Votes, and closes the connection. A broker ends a connection whose vote it cannot store, for example because the machine stood
 * still for longer than the broker’s lease; then the device comes back, as every device does.
 *
 * @returns how often it had to come back
 */
export async function voteOnce(first: Racer, id: string, topic: string): Promise<number> {
  let [racer, comebacks] = [first, 0];
  racer.vote(topic, 'a');
  await eventually(`an acknowledgement for ${id}`, async () => {
    if (racer.isAnswered) return true;
    if (!racer.isClosed) return undefined;
    racer = new Racer(racer.port).enter(id);
    racer.vote(topic, 'a');
    comebacks++;
    return undefined;
  });
  racer.socket.destroy();
  if (!racer.isClosed) await once(racer.socket, 'close');
  return comebacks;
}

/**
 * Connects several devices with one client id, at random instants, to random ones of the ports. Resolves once all but one have
 * been closed and that one is ready and has voted, with how often it had to come back for that, see `voteOnce`.
 */
async function race(random: () => number, ports: readonly number[], id: string, topic: string): Promise<number> {
  const atOnce = random() < 0.1 ? 40 : 2 + Math.floor(random() * 6);
  const spreadMs = [0, 0, 2, 20][Math.floor(random() * 4)] as number;
  const starts = Array.from({ length: atOnce }, () => ({
    afterMs: random() * spreadMs,
    port: ports[Math.floor(random() * ports.length)] as number,
    clean: random() < 0.7,
  }));
  const [racers, [first]] = await Promise.all([
    Racer.atStart(starts.map(({ port }) => port)),
    Racer.atStart(ports.slice(0, 1)),
  ]);
  first?.enter(id, { clean: random() < 0.7 });
  await eventually(`CONNACK for ${id}`, async () => (first?.isOpen ? true : undefined));
  if (first) racers.push(first);
  await Promise.all(
    starts.map(async ({ afterMs, clean }, i) => {
      if (afterMs > 0) await sleep(afterMs);
      racers[i]?.enter(id, { clean });
    }),
  );
  const say = () => JSON.stringify(racers.map(({ code, isClosed }) => [code ?? null, isClosed]));
  await eventually(`one connection of ${id}`, async () =>
    racers.filter(({ isClosed }) => !isClosed).length === 1 ? true : undefined,
  ).catch((error) => {
    throw new Error(`${error.message}: ${say()}`);
  });
  const [last] = racers.filter(({ isClosed }) => !isClosed) as [Racer];
  await eventually(`the last connection of ${id} to be ready`, async () => (last.isOpen ? true : undefined));
  last.ping();
  await eventually(`an answer for ${id}`, async () => {
    if (last.isClosed) throw new Error(`the last connection of ${id} was closed: ${say()}`);
    return last.isHeard ? true : undefined;
  });
  return voteOnce(last, id, topic);
}

/** Runs races of different ids, a few at a time. @returns how often their devices had to come back, see `voteOnce` */
export async function races(
  seed: number,
  count: number,
  ports: readonly number[],
  topic: string,
  together = 10,
): Promise<number> {
  const random = randomOf(seed);
  let comebacks = 0;
  for (let at = 0; at < count; at += together) {
    const some = Array.from({ length: Math.min(together, count - at) }, (_, i) => at + i);
    const all = await Promise.all(some.map((i) => race(random, ports, `race-${i}`, topic)));
    comebacks += all.reduce((sum, count) => sum + count, 0);
  }
  return comebacks;
}

/** How many connections brokers have ended because the store failed, as their metrics say. @param urls of their HTTP servers */
export async function endedByStore(urls: readonly string[]): Promise<number> {
  const pages = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  const counts = [
    ...pages.join('\n').matchAll(/^pollcast_mqtt_(?:disconnected|refused)_total\{why="store"\} (\d+)$/gm),
  ];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

import { generate, type Packet, parser } from 'mqtt-packet';
import type { Ledger, Press } from '../checks/ledger.ts';
import type { Trace } from '../checks/trace.ts';
import type { Line } from '../world/network.ts';
import type { Random } from '../world/random.ts';
import type { World } from '../world/world.ts';

/** How long a device waits in ms for an answer before it connects again. */
const ANSWER_LIMIT_MS = { least: 2_000, most: 15_000 } as const;
/** How long a device waits in ms before it connects again. */
const RECONNECT_MS = { least: 50, most: 4_000 } as const;
/** How many votes a device with sequence numbers has under way at most. */
const WINDOW = 6;
/** Interval in ms at which an idle device shows that it is there. */
const PING_EVERY_MS = 20_000;
const CHOICES = ['a', 'b', 'c', 'd'];

/** How a device behaves. */
interface Traits {
  /** What its payloads contain. A device without sequence numbers waits for each acknowledgement. */
  readonly payload: 'numbered' | 'timed' | 'plain';
  /** Whether it sets DUP when it sends a packet again. Many do not. */
  readonly setsDup: boolean;
  readonly isClean: boolean;
  readonly pressEveryMs: number;
  readonly answerLimitMs: number;
}

interface DeviceParts {
  readonly id: string;
  readonly world: World;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly trace: Trace;
  /** The ports of the brokers that the device knows. */
  readonly ports: () => readonly number[];
  readonly polls: () => readonly string[];
}

/** A connection of a device. */
interface Session {
  readonly line: Line;
  isReady: boolean;
  /** Presses in the order in which they were sent over this connection, until their receipts arrive. */
  readonly sent: Press[];
}

/** A simulated voting device. It keeps what has not been acknowledged, and sends it again over its next connection. */
export class Device {
  private readonly parts: DeviceParts;
  private readonly traits: Traits;
  private readonly unacknowledged: Press[] = [];
  private readonly published = new WeakSet<Press>();
  private session: Session | undefined;
  private order = 0;
  private packet = 0;
  private lastT = 0;
  private waitingSinceMs = 0;
  private isVoting = true;
  private isConnecting = false;

  constructor(parts: DeviceParts) {
    this.parts = parts;
    const { random } = parts;
    this.traits = {
      payload: random.pick(['numbered', 'timed', 'timed', 'plain']),
      setsDup: random.chance(0.5),
      isClean: random.chance(0.7),
      pressEveryMs: random.between(1_000, 15_000),
      answerLimitMs: random.between(ANSWER_LIMIT_MS.least, ANSWER_LIMIT_MS.most),
    };
    this.later(random.between(0, 3_000), () => this.connect());
    this.later(random.exponential(this.traits.pressEveryMs), () => this.press());
    this.later(1_000, () => this.checkAnswers());
    this.later(PING_EVERY_MS, () => this.ping());
  }

  /** True if everything that can be acknowledged has been. */
  get isSettled(): boolean {
    return this.unacknowledged.length === 0;
  }

  get line(): Line | undefined {
    return this.session?.line;
  }

  /** From now on, presses no button. */
  stop(): void {
    this.isVoting = false;
  }

  /** Connects again although the connection is fine; the old one is closed, or left behind. */
  move(isLeft: boolean): void {
    const { session } = this;
    if (!session) return;
    this.session = undefined;
    if (isLeft) session.line.onClosed = () => {};
    else {
      // A client that waits for an acknowledgement does not say that it leaves.
      if (this.isSettled && this.parts.random.chance(0.5)) session.line.send(generate({ cmd: 'disconnect' }));
      session.line.close();
    }
    this.connect();
  }

  private connect(): void {
    if (this.session || this.isConnecting) return;
    const { network } = this.parts.world;
    const ports = this.parts.ports();
    if (ports.length === 0) return this.connectLater();
    const line = network.connect(this.parts.random.pick(ports), this.parts.world.outside);
    const session: Session = { line, isReady: false, sent: [] };
    this.session = session;
    this.waitingSinceMs = this.parts.world.nowMs;
    const packets = parser({ protocolVersion: 4 });
    let found: Packet[] = [];
    packets.on('packet', (packet: Packet) => found.push(packet));
    line.onSent = (bytes) => {
      found = [];
      packets.parse(bytes);
      const arrived = found;
      for (const packet of arrived) this.check(session, packet);
      return () => {
        for (const packet of arrived) this.receive(session, packet);
      };
    };
    line.onClosed = () => {
      if (this.session !== session) return;
      this.session = undefined;
      this.connectLater();
    };
    line.send(
      generate({
        cmd: 'connect',
        clientId: this.parts.id,
        protocolVersion: 4,
        protocolId: 'MQTT',
        clean: this.traits.isClean,
        keepalive: 30,
      }),
    );
  }

  private connectLater(): void {
    this.isConnecting = true;
    this.later(this.parts.random.between(RECONNECT_MS.least, RECONNECT_MS.most), () => {
      this.isConnecting = false;
      this.connect();
    });
  }

  /** Checks what a broker sends, at the moment at which it does. */
  private check({ sent }: Session, packet: Packet): void {
    const { ledger } = this.parts;
    if (packet.cmd === 'puback' || packet.cmd === 'pubrec') {
      const press = this.unacknowledged.find((one) => one.packet === packet.messageId);
      if (press) ledger.acknowledged(press);
    } else if (packet.cmd === 'publish' && packet.topic.startsWith('receipt/')) {
      const press = sent.shift();
      if (press) ledger.receipted(press, packet.payload.toString());
    }
  }

  private receive(session: Session, packet: Packet): void {
    if (this.session !== session) return;
    const { id, trace } = this.parts;
    if (packet.cmd === 'connack') {
      if (packet.returnCode !== 0) return session.line.close();
      session.line.send(
        generate({
          cmd: 'subscribe',
          messageId: this.nextPacket(),
          subscriptions: [{ topic: `receipt/${id}`, qos: 0 }],
        }),
      );
    } else if (packet.cmd === 'suback') {
      session.isReady = true;
      for (const press of this.unacknowledged.slice(0, this.window)) this.publish(session, press);
    } else if (packet.cmd === 'puback' || packet.cmd === 'pubrec') {
      const at = this.unacknowledged.findIndex((one) => one.packet === packet.messageId);
      if (at === -1) return;
      const [press] = this.unacknowledged.splice(at, 1);
      trace.note(id, `${packet.cmd} for press ${press?.order}`);
      this.waitingSinceMs = this.parts.world.nowMs;
      if (packet.cmd === 'pubrec') {
        session.line.send(generate({ cmd: 'pubrel', messageId: packet.messageId ?? 0, qos: 1 } as Packet));
      }
      const next = this.unacknowledged[this.window - 1];
      if (next) this.publish(session, next);
    }
  }

  private get window(): number {
    return this.traits.payload === 'numbered' ? WINDOW : 1;
  }

  private press(): void {
    if (!this.isVoting) return;
    const { random, world, ledger, polls, id, trace } = this.parts;
    const { payload, pressEveryMs } = this.traits;
    this.later(random.exponential(pressEveryMs), () => this.press());
    const poll = random.pick(polls());
    if (poll === undefined || this.unacknowledged.length > 2 * WINDOW) return;
    this.lastT = Math.max(this.lastT + 1, world.outside.wallMs);
    const qos =
      payload === 'plain' ? random.pick([1, 1, 1, 2] as const) : random.pick([0, 1, 1, 1, 1, 1, 2, 2] as const);
    const order = ++this.order;
    const press: Press = {
      device: id,
      poll,
      choice: random.pick(CHOICES),
      order,
      qos,
      n: payload === 'numbered' ? order : undefined,
      t: payload === 'plain' ? undefined : this.lastT,
      packet: this.nextPacket(),
      isAcknowledged: false,
      receipt: undefined,
    };
    ledger.press(press);
    trace.note(id, `presses ${press.choice} in ${poll} (${order})`);
    const isBusy = this.unacknowledged.length >= this.window;
    if (qos === 0) {
      // Nothing keeps it, and it must not overtake what waits.
      if (this.session?.isReady && this.unacknowledged.length === 0) this.publish(this.session, press);
      return;
    }
    this.unacknowledged.push(press);
    if (this.unacknowledged.length === 1) this.waitingSinceMs = world.nowMs;
    if (this.session?.isReady && !isBusy) this.publish(this.session, press);
  }

  private publish({ line, sent }: Session, press: Press): void {
    const { choice, poll, qos, n, t, packet } = press;
    const isAgain = this.published.has(press);
    this.published.add(press);
    sent.push(press);
    const payload = t === undefined ? choice : JSON.stringify({ c: choice, n, t });
    const dup = isAgain && this.traits.setsDup && qos > 0;
    const topic = `vote/${poll}`;
    line.send(generate({ cmd: 'publish', topic, payload, qos, dup, retain: false, messageId: packet }));
  }

  /** Connects again if an answer is overdue. */
  private checkAnswers(): void {
    this.later(1_000, () => this.checkAnswers());
    const { session } = this;
    const isWaiting = session && (!session.isReady || this.unacknowledged.length > 0);
    if (!isWaiting || this.parts.world.nowMs - this.waitingSinceMs < this.traits.answerLimitMs) return;
    this.parts.trace.note(this.parts.id, 'got no answer');
    this.move(this.parts.random.chance(0.3));
  }

  private ping(): void {
    this.later(PING_EVERY_MS, () => this.ping());
    if (this.session?.isReady) this.session.line.send(generate({ cmd: 'pingreq' }));
  }

  private nextPacket(): number {
    return ++this.packet;
  }

  private later(ms: number, what: () => void): void {
    this.parts.world.outside.after(ms, what);
  }
}

import { Allowance, type Rate } from '../../../core/waiting/allowance.ts';
import { PINGREQ, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIBE, UNSUBSCRIBE } from '../wire/frame.ts';
import type { Held } from './flow.ts';

/** The packets that are counted together. DISCONNECT is not counted, because it is a connection’s last packet. */
export const PACKET_CLASSES = ['connect', 'publish', 'release', 'answer', 'subscribe', 'ping'] as const;
export type PacketClass = (typeof PACKET_CLASSES)[number];

/**
 * What one connection may send: packets, except for SUBSCRIBE and UNSUBSCRIBE, whose cost grows with their filters and which are
 * therefore counted in units of `UNIT_BYTES`, about one filter. Twenty times what any known client needs.
 */
export const CONNECTION_RATES = {
  publish: { burst: 10_000, perSecond: 5_000 },
  release: { burst: 2_000, perSecond: 2_000 },
  /** PUBACK, PUBREC and PUBCOMP. The burst is for a session that receives everything it missed. */
  answer: { burst: 2_000, perSecond: 500 },
  subscribe: { burst: 1_024, perSecond: 256 },
  ping: { burst: 60, perSecond: 5 },
} as const satisfies Partial<Record<PacketClass, Rate>>;

/** What may be published over one connection at least, however few votes a device may cast. */
const LEAST_PUBLISH: Rate = { burst: 1_000, perSecond: 100 };
/** A connection may send this many times as many PUBLISH packets a second as its device may cast votes. */
const REFUSED_TOO = 1.25;

/** What all connections of a broker may send together, in the same units. Votes in flight are limited by `Flow`. */
export const BROKER_RATES = {
  connect: { burst: 2_000, perSecond: 4_000 },
  subscribe: { burst: 1_500, perSecond: 3_000 },
} as const satisfies Partial<Record<PacketClass, Rate>>;

type Rates = Readonly<Partial<Record<PacketClass, Rate>>>;

/**
 * What one connection may send if its device may cast so many votes. A device that sends more votes is first refused some and then
 * also slowed down, because refusals cost almost as much as votes, and other devices would have to wait for them.
 */
export function connectionRates({ burst, perSecond }: Rate): Rates {
  const { publish } = CONNECTION_RATES;
  const paced = {
    burst: Math.min(publish.burst, Math.max(LEAST_PUBLISH.burst, burst)),
    perSecond: Math.min(publish.perSecond, Math.max(LEAST_PUBLISH.perSecond, perSecond * REFUSED_TOO)),
  };
  return { ...CONNECTION_RATES, publish: paced };
}

/** The size of a unit of SUBSCRIBE and UNSUBSCRIBE packets. Whole packets are counted, with at least one unit. */
const UNIT_BYTES = 16;

/** Minimum time in ms for which a packet waits. What may pass after it passes together, because a timer for each would cost more. */
const LEAST_WAIT_MS = 20;

/** CONNECT is missing, because it waits before it is answered, see `Entrance`. */
const CLASS_OF: Readonly<Record<number, PacketClass>> = {
  [PUBLISH]: 'publish',
  [PUBREL]: 'release',
  [PUBACK]: 'answer',
  [PUBREC]: 'answer',
  [PUBCOMP]: 'answer',
  [SUBSCRIBE]: 'subscribe',
  [UNSUBSCRIBE]: 'subscribe',
  [PINGREQ]: 'ping',
};

/** What the connections of a broker share, and what each of them may send. */
export class SharedPace {
  readonly ofConnection: Rates;
  private readonly allowances = new Map<PacketClass, Allowance>();

  constructor(rates: Rates = BROKER_RATES, ofConnection: Rates = CONNECTION_RATES) {
    this.ofConnection = ofConnection;
    for (const [of, rate] of Object.entries(rates)) {
      this.allowances.set(of as PacketClass, new Allowance(rate, performance.now()));
    }
  }

  allowance(of: PacketClass): Allowance | undefined {
    return this.allowances.get(of);
  }
}

/** Hears that a connection sends too much. */
export interface Slowed {
  /** Packets of a class have to wait. */
  slowed(of: PacketClass): void;
}

/** Limits how fast a connection’s packets are passed on. Nothing is refused: the rest waits in the network. */
export class Pace {
  private readonly shared: SharedPace;
  private readonly rates: Rates;
  private readonly owner: Slowed;
  private readonly own: Partial<Record<PacketClass, Allowance>> = {};
  /** What the packet that waits has taken from the shared allowance, and until when it waits. */
  private waiting: { readonly untilMs: number; readonly of: PacketClass; readonly cost: number } | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(shared: SharedPace, owner: Slowed, rates: Rates = shared.ofConnection) {
    this.shared = shared;
    this.owner = owner;
    this.rates = rates;
  }

  /**
   * How long (ms) the next packet must wait; 0 if it may pass. Until it may, ask again for the same packet.
   *
   * @param type the control packet type
   * @param bytes the length of the packet
   */
  delay(type: number, bytes: number, nowMs: number): number {
    const { waiting } = this;
    if (waiting) {
      if (nowMs < waiting.untilMs) return waiting.untilMs - nowMs;
      this.waiting = undefined;
      return 0;
    }
    const of = CLASS_OF[type];
    if (!of) return 0;
    const cost = of === 'subscribe' ? Math.max(1, bytes / UNIT_BYTES) : 1;
    const ownMs = this.allowance(of, nowMs)?.take(cost, nowMs) ?? 0;
    const sharedMs = this.shared.allowance(of)?.take(cost, nowMs) ?? 0;
    const neededMs = Math.max(ownMs, sharedMs);
    if (neededMs === 0) return 0;
    const delayMs = Math.max(neededMs, LEAST_WAIT_MS);
    this.waiting = { untilMs: nowMs + delayMs, of, cost };
    this.owner.slowed(of);
    return delayMs;
  }

  /** True if the next packet must wait; see `delay`. `held` is resumed when it may pass. */
  mustWait(type: number, bytes: number, nowMs: number, held: Held): boolean {
    const delayMs = this.delay(type, bytes, nowMs);
    if (delayMs === 0) return false;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      held.resume();
    }, delayMs);
    return true;
  }

  /** Call when the connection closes, so that a packet that never passed delays nobody. */
  close(): void {
    clearTimeout(this.timer);
    if (this.waiting) this.shared.allowance(this.waiting.of)?.giveBack(this.waiting.cost);
    this.waiting = undefined;
  }

  private allowance(of: PacketClass, nowMs: number): Allowance | undefined {
    const known = this.own[of];
    const rate = this.rates[of];
    if (known || !rate) return known;
    const made = new Allowance(rate, nowMs);
    this.own[of] = made;
    return made;
  }
}

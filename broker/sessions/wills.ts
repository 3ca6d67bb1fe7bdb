import { BROKER_ROLE } from '../../core/live/brokers.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { WillStore } from '../../core/store/sessions.ts';
import type { Presence } from '../../core/store/store.ts';
import { repeat } from '../../core/waiting/repeat.ts';

/** Interval in ms between checks which wills of this broker’s devices are due. */
const CHECK_EVERY_MS = 500;
/** Interval in ms between looks at which brokers are present. */
const LOOK_EVERY_MS = 2_000;
/** How long in ms all wills are read at every look, after brokers have come or gone: those of brokers that have crashed. */
const UNSETTLED_MS = 20_000;
/** Interval in ms between readings of all wills otherwise, because there may be one per device. */
const SWEEP_EVERY_MS = 30_000;
/** How long in ms a will may be overdue before another broker publishes it. */
const OVERDUE_MS = 2_000;
/** Maximum number of wills that wait at a broker. When there are more, they are published at once. */
const MAX_WAITING = 20_000;
/** How often a will that another broker changes at the same time is read again. */
const TRIES = 5;
/** Pause in ms after the store could not be reached. */
const RETRY_MS = { first: 1_000, most: 30_000 } as const;

interface StoredWill {
  /** The broker that has the connection, or had it last. */
  readonly broker: string;
  /** The connection that left the will; different for each, so that nobody takes one will for another. */
  readonly connection: number;
  readonly delayMs: number;
  /** In base64. */
  readonly payload: string;
  /** When it is published, in ms since 1970; absent while the device is connected. */
  readonly dueAtMs?: number | undefined;
}

interface DelayedWillsParts {
  readonly store: WillStore;
  readonly presence: Presence;
  /** This broker’s run id. */
  readonly broker: string;
  /** Publishes a will: a device’s status, because a will has no other topic. */
  readonly publish: (device: string, payload: Buffer) => void;
  readonly log: Log;
}

/** How a device arrives. */
export interface Arrival {
  readonly connection: number;
  /** True if an older session ends now, and with it the wait of its will. */
  readonly isFresh: boolean;
  /** The will that is to wait after the end of this connection, if there is one. */
  readonly will: { readonly payload: Buffer; readonly delayMs: number } | undefined;
}

/**
 * Wills that wait after the end of a connection (MQTT 5). They are published unless the device returns in time, to whichever
 * broker; and by another broker if the one that had the connection has crashed.
 */
export class DelayedWills {
  private readonly parts: DelayedWillsParts;
  private readonly halt = new AbortController();
  /** The stored texts of the wills of devices that are connected, by device. */
  private readonly connected = new Map<string, { readonly connection: number; readonly text: string }>();
  /** Wills of devices that have left this broker. */
  private readonly waiting = new Map<string, { readonly text: string; readonly dueAtMs: number }>();
  private readonly writes = new Set<Promise<void>>();
  /** Brokers that were not present at the last look. */
  private absent: ReadonlySet<string> = new Set();
  /** The brokers that were present at the last look, and when that last changed. */
  private present: readonly string[] = [];
  private changedAtMs = 0;
  private lookedAtMs = 0;
  private sweptAtMs = 0;
  private work: Promise<unknown> = Promise.resolve();

  private constructor(parts: DelayedWillsParts) {
    this.parts = parts;
  }

  static open(parts: DelayedWillsParts): DelayedWills {
    const wills = new DelayedWills(parts);
    wills.work = repeat(() => wills.check(), {
      signal: wills.halt.signal,
      everyMs: CHECK_EVERY_MS,
      retryMs: RETRY_MS,
      log: parts.log,
      failureMessage: 'cannot look up wills that are due; trying again',
    });
    return wills;
  }

  /** Wills that still wait are left to other brokers, or to the next run. */
  async close(): Promise<void> {
    this.halt.abort();
    await Promise.all([this.work, ...this.writes]);
  }

  /** Call when a device was admitted, before `leave` can be called. Rejects if the store cannot be reached. */
  async arrive(device: string, { connection, isFresh, will }: Arrival): Promise<void> {
    const { store, broker } = this.parts;
    this.waiting.delete(device);
    for (let i = 0; i < TRIES; i++) {
      const text = await store.get(device);
      if (text === undefined) break;
      if (!(await store.change(device, text, undefined))) continue;
      const { dueAtMs } = parse(text);
      if (isFresh || (dueAtMs !== undefined && dueAtMs <= Date.now())) this.publish(device, text);
      break;
    }
    if (!will) return;
    const { payload, delayMs } = will;
    const text = textOf({ broker, connection, delayMs, payload: payload.toString('base64') });
    await store.put(device, text);
    this.connected.set(device, { connection, text });
  }

  /**
   * Call when the connection of a device has ended.
   *
   * @param isWanted false if the device has left without its will
   * @param mostMs maximum delay in ms: how long the session is kept
   */
  leave(device: string, connection: number, isWanted: boolean, mostMs: number): void {
    const { store, log } = this.parts;
    const known = this.connected.get(device);
    if (known?.connection !== connection) return;
    this.connected.delete(device);
    const { text } = known;
    const will = parse(text);
    const delayMs = this.waiting.size < MAX_WAITING ? Math.min(will.delayMs, mostMs) : 0;
    const dueAtMs = Date.now() + delayMs;
    const changed = isWanted ? textOf({ ...will, dueAtMs }) : undefined;
    const write: Promise<void> = store
      .change(device, text, changed)
      .then((isChanged) => {
        if (isChanged && changed !== undefined) this.waiting.set(device, { text: changed, dueAtMs });
      })
      .catch((error) => log.warn({ err: error, device }, 'could not store the will of a device that has left'))
      .finally(() => this.writes.delete(write));
    this.writes.add(write);
  }

  private async check(): Promise<void> {
    const nowMs = Date.now();
    for (const [device, { text, dueAtMs }] of this.waiting) {
      if (dueAtMs > nowMs) continue;
      await this.take(device, text);
      this.waiting.delete(device);
    }
    if (nowMs - this.lookedAtMs < LOOK_EVERY_MS) return;
    this.lookedAtMs = nowMs;
    const present = (await this.parts.presence.list(BROKER_ROLE)).map(({ id }) => id).sort();
    if (present.join() !== this.present.join()) this.changedAtMs = nowMs;
    this.present = present;
    if (nowMs - this.changedAtMs > UNSETTLED_MS && nowMs - this.sweptAtMs < SWEEP_EVERY_MS) return;
    this.sweptAtMs = nowMs;
    await this.sweep(new Set(present).add(this.parts.broker));
  }

  /** Publishes overdue wills, and lets those of crashed brokers wait from now on. */
  private async sweep(present: ReadonlySet<string>): Promise<void> {
    const { store } = this.parts;
    const absent = new Set<string>();
    for await (const [device, text] of store.all()) {
      const will = parse(text);
      if (will.dueAtMs !== undefined) {
        if (will.dueAtMs + OVERDUE_MS < Date.now()) await this.take(device, text);
      } else if (!present.has(will.broker)) {
        // Only at the second look: a broker may have been late to renew its presence.
        if (this.absent.has(will.broker)) {
          await store.change(device, text, textOf({ ...will, dueAtMs: Date.now() + will.delayMs }));
        }
        absent.add(will.broker);
      }
    }
    this.absent = absent;
  }

  /** Publishes a will, unless another broker has, or the device has returned. */
  private async take(device: string, text: string): Promise<void> {
    if (await this.parts.store.change(device, text, undefined)) this.publish(device, text);
  }

  private publish(device: string, text: string): void {
    this.parts.publish(device, Buffer.from(parse(text).payload, 'base64'));
  }
}

function textOf(will: StoredWill): string {
  return JSON.stringify(will);
}

function parse(text: string): StoredWill {
  return JSON.parse(text) as StoredWill;
}

import { StoreError } from '../../../core/store/error.ts';
import { Bell } from '../../../core/waiting/bell.ts';
import { Machine } from '../world/machine.ts';
import type { Random } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { Access, BellName, Channel, Effect } from './access.ts';
import type { Database } from './database.ts';

/** Usual time in ms that a command takes to the server, and its answer back. */
const LATENCY_MS = 0.4;
/** Usual and longest time in ms until a write has reached the replicas or the disk. */
const SAFE_MS = { usual: 1.5, longest: 1_000 } as const;
/** Time limit in ms for the answer to a command. */
const ANSWER_LIMIT_MS = 3_000;
/** The longest time in ms that a command or its answer takes, however slow the way and the server are. */
const LONGEST_MS = 10_000;
/** How long a command that its sender has given up may still be on its way, in ms. */
const LATE_MS = 8_000;

/** What is wrong with the way between one process and the server. */
export interface Trouble {
  isCut: boolean;
  slowness: number;
  /** How much longer appends take, in ms. They have a connection of their own. */
  appendMs: number;
  /** The share of commands whose answer is lost; half of them arrive late. */
  loss: number;
}

/**
 * A store on a server that several processes share. What it has answered with `keep` survives a failover; everything else that
 * happened last may be lost. A command whose answer is lost may have been done, or be done later.
 */
export class StoreServer {
  readonly database: Database;
  /** Its clock shows the server’s time; while it is paused, the server does not answer. */
  machine: Machine;
  /** While set, writes fail with this message. */
  refusal: string | undefined;
  /** While true, nothing reaches the replicas. */
  isReplicaGone = false;
  slowness = 1;
  private readonly world: World;
  private readonly random: Random;
  private readonly accesses = new Set<RemoteAccess>();
  private readonly reached: { atMs: number; position: number }[] = [];

  constructor(world: World, database: Database) {
    this.world = world;
    this.database = database;
    this.random = world.random.of('store');
    this.machine = new Machine(world.schedule, 'store');
  }

  connect(machine: Machine): RemoteAccess {
    const access = new RemoteAccess(this.world, this, machine, this.random);
    this.accesses.add(access);
    machine.onDeath(() => this.accesses.delete(access));
    return access;
  }

  /** From now on, the server does nothing, and what is under way gets no answer in time. */
  hang(): void {
    this.machine.pause();
    for (const access of this.accesses) access.expire();
  }

  /** Another server takes over. It may lack what happened last, but nothing that was to be kept. @returns how many operations were lost */
  failOver(share: number, clockStepMs: number): number {
    const { safe, position } = this.database.journal;
    const lost = this.database.journal.undo(safe + Math.floor((position - safe) * share));
    this.reached.length = 0;
    this.machine.stepWallClock(clockStepMs);
    for (const access of this.accesses) access.breakOff();
    return lost;
  }

  do<T>(effect: Effect, work: () => T): T {
    if (effect !== 'read' && this.refusal) throw new StoreError(this.refusal);
    if (effect === 'read') return work();
    const done = this.database.journal.operation(work);
    const { nowMs } = this.world;
    const { reached, database } = this;
    if (!this.isReplicaGone) reached.push({ atMs: nowMs, position: database.journal.position });
    while (reached[0] && reached[0].atMs < nowMs - SAFE_MS.longest) {
      database.journal.settle((reached.shift() as { position: number }).position);
    }
    return done;
  }

  ring(name: BellName): void {
    for (const access of this.accesses) access.hear(() => access.bell(name).ring());
  }

  publish(text: string): void {
    for (const access of this.accesses) access.hear(() => access.tell(text));
  }

  forget(access: RemoteAccess): void {
    this.accesses.delete(access);
  }

  /** How long it takes until what has been written is safe; undefined while that is impossible. */
  safeAfterMs(): number | undefined {
    return this.isReplicaGone ? undefined : this.slowness * (0.2 + this.random.exponential(SAFE_MS.usual));
  }
}

/** One process’s connections to a `StoreServer`. */
export class RemoteAccess implements Access {
  readonly trouble: Trouble = { isCut: false, slowness: 1, appendMs: 0, loss: 0 };
  private readonly world: World;
  private readonly server: StoreServer;
  private readonly machine: Machine;
  private readonly random: Random;
  private readonly bells = new Map<BellName, Bell>();
  private readonly listeners = new Set<(text: string) => void>();
  /** Rises with each connection. */
  private epoch = 0;
  private readonly waiting = new Set<(why: string) => void>();
  private readonly arrives = new Map<Channel | 'answers' | 'pushes', number>();

  constructor(world: World, server: StoreServer, machine: Machine, random: Random) {
    this.world = world;
    this.server = server;
    this.machine = machine;
    this.random = random;
  }

  call<T>(channel: Channel, effect: Effect, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const { random, server, world, machine, epoch } = this;
      // What its code still does in the step in which it was killed has no effect.
      if (machine.isDead) return;
      const startMs = world.nowMs;
      const settle = (outcome: () => void): void => {
        if (this.waiting.delete(fail)) outcome();
      };
      const fail = (why: string) => settle(() => reject(new StoreError(why)));
      this.waiting.add(fail);
      /** No answer arrives, which is noticed at the time limit. */
      const lose = (): void => {
        const leftMs = startMs + ANSWER_LIMIT_MS - world.nowMs;
        world.schedule.after(leftMs, machine, () => fail('the store did not answer in time'));
      };
      if (this.trouble.isCut) return lose();
      const isLost = random.chance(this.trouble.loss);
      // A connection that breaks may leave a command on its way after its sender has given it up.
      const isLate = isLost && random.chance(0.5);
      if (isLate) machine.after(random.between(1, 500), () => fail('the connection to the store broke'));
      const answer = (outcome: () => void): void => {
        if (this.trouble.isCut || isLost || this.epoch !== epoch) return lose();
        const delayMs = this.delay('answers');
        if (world.nowMs + delayMs > startMs + ANSWER_LIMIT_MS) return lose();
        world.schedule.after(delayMs, machine, () => {
          if (this.trouble.isCut || this.epoch !== epoch) lose();
          else settle(outcome);
        });
      };
      const arrive = (): void => {
        if ((this.trouble.isCut && !isLate) || this.epoch !== epoch) return lose();
        let value: T;
        try {
          value = server.do(effect, work);
        } catch (error) {
          return answer(() => reject(error as Error));
        }
        if (effect !== 'keep') return answer(() => resolve(value));
        const { position } = server.database.journal;
        const safeMs = server.safeAfterMs();
        if (safeMs === undefined) return lose();
        if (safeMs > ANSWER_LIMIT_MS) lose();
        world.schedule.after(safeMs, server.machine, () => {
          // After a failover, the position stands for something else.
          if (this.epoch !== epoch || server.isReplicaGone) return lose();
          server.database.journal.settle(position);
          answer(() => resolve(value));
        });
      };
      const arriveMs = isLate ? random.between(100, LATE_MS) : this.delay(channel);
      if (arriveMs > ANSWER_LIMIT_MS || server.machine.isPaused) lose();
      world.schedule.after(arriveMs, server.machine, arrive);
    });
  }

  bell(name: BellName): Bell {
    let bell = this.bells.get(name);
    if (!bell) this.bells.set(name, (bell = new Bell()));
    return bell;
  }

  ring(name: BellName): void {
    this.server.ring(name);
  }

  subscribe(listener: (text: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  publish(text: string): void {
    this.server.publish(text);
  }

  clockMs(): number {
    return this.server.machine.wallMs;
  }

  close(): void {
    this.server.forget(this);
  }

  /** Takes something that the server pushes, unless it gets lost. */
  hear(what: () => void): void {
    if (this.trouble.isCut || this.random.chance(this.trouble.loss)) return;
    this.world.schedule.after(this.delay('pushes'), this.machine, () => {
      if (!this.trouble.isCut) what();
    });
  }

  tell(text: string): void {
    for (const listener of this.listeners) listener(text);
  }

  /** The connection breaks: what is under way gets no answer. */
  breakOff(): void {
    this.epoch++;
    this.world.schedule.after(this.random.between(0, 50), this.machine, () => {
      for (const fail of [...this.waiting]) fail('the connection to the store broke');
    });
  }

  /** What is under way now fails at its time limit, unless it is answered before. */
  expire(): void {
    const waiting = [...this.waiting];
    this.world.schedule.after(ANSWER_LIMIT_MS, this.machine, () => {
      for (const fail of waiting) fail('the store did not answer in time');
    });
  }

  /** How long until something arrives that leaves now, after everything before it. */
  private delay(channel: Channel | 'answers' | 'pushes'): number {
    const { nowMs } = this.world;
    const slowness = this.trouble.slowness * this.server.slowness;
    const usualMs = Math.min(LONGEST_MS, slowness * (0.05 + this.random.exponential(LATENCY_MS)));
    const moreMs = channel === 'appends' ? this.trouble.appendMs : 0;
    const atMs = Math.max(nowMs + usualMs + moreMs, this.arrives.get(channel) ?? 0);
    this.arrives.set(channel, atMs);
    return atMs - nowMs;
  }
}

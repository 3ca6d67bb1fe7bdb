import { StoreError } from '../../../core/store/error.ts';
import { Bell } from '../../../core/waiting/bell.ts';
import type { Machine } from '../world/machine.ts';
import type { Random } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { Access, BellName, Channel, Effect } from './access.ts';
import type { Database } from './database.ts';

/** Usual time in ms that a sync takes. */
const SYNC_MS = 3;

interface Waiting {
  readonly work: () => unknown;
  readonly done: (outcome: { value?: unknown; error?: Error }) => void;
}

/**
 * A store on the disk of one process, in two files: the log, and everything else. Writes become visible, and are answered, when
 * their file has been synced. A power loss keeps any number of the first writes of the sync that was under way.
 */
export class Disk {
  readonly database: Database;
  /** While set, writes fail with this message. */
  refusal: string | undefined;
  slowness = 1;
  readonly world: World;
  private readonly random: Random;
  private readonly waiting: Record<Channel, Waiting[]> = { appends: [], rest: [] };
  private readonly isSyncing: Record<Channel, boolean> = { appends: false, rest: false };

  constructor(world: World, database: Database) {
    this.world = world;
    this.database = database;
    this.random = world.random.of('disk');
  }

  /** The power is lost, or the process killed. @returns how many writes were lost */
  lose(): number {
    let lost = 0;
    for (const channel of ['appends', 'rest'] as const) {
      const written = this.random.integer(0, this.waiting[channel].length);
      for (const { work } of this.waiting[channel].splice(0, written)) this.attempt(work);
      lost += this.waiting[channel].length;
      this.waiting[channel] = [];
      this.isSyncing[channel] = false;
    }
    this.database.journal.settle(this.database.journal.position);
    return lost;
  }

  write(channel: Channel, machine: Machine, one: Waiting): void {
    // What its code still does in the step in which it was killed has no effect.
    if (machine.isDead) return;
    this.waiting[channel].push(one);
    if (!this.isSyncing[channel]) this.sync(channel, machine);
  }

  private attempt(work: () => unknown): { value?: unknown; error?: Error } {
    try {
      return { value: this.database.journal.operation(work) };
    } catch (error) {
      return { error: error as Error };
    }
  }

  private sync(channel: Channel, machine: Machine): void {
    this.isSyncing[channel] = true;
    const ms = this.slowness * (0.1 + this.random.exponential(SYNC_MS));
    machine.after(ms, () => {
      const synced = this.waiting[channel];
      this.waiting[channel] = [];
      for (const { work, done } of synced) done(this.attempt(work));
      this.database.journal.settle(this.database.journal.position);
      this.isSyncing[channel] = false;
      if (this.waiting[channel].length > 0) this.sync(channel, machine);
    });
  }
}

/** A process’s way to its own disk. */
export class LocalAccess implements Access {
  private readonly disk: Disk;
  private readonly machine: Machine;
  private readonly bells = new Map<BellName, Bell>();

  constructor(disk: Disk, machine: Machine) {
    this.disk = disk;
    this.machine = machine;
  }

  async call<T>(channel: Channel, effect: Effect, work: () => T): Promise<T> {
    if (effect === 'read') return work();
    if (this.disk.refusal) throw new StoreError(this.disk.refusal);
    return new Promise<T>((resolve, reject) => {
      this.disk.write(channel, this.machine, {
        work,
        done: ({ value, error }) => (error ? reject(error) : resolve(value as T)),
      });
    });
  }

  bell(name: BellName): Bell {
    let bell = this.bells.get(name);
    if (!bell) this.bells.set(name, (bell = new Bell()));
    return bell;
  }

  ring(name: BellName): void {
    this.bell(name).ring();
  }

  subscribe(): () => void {
    return () => {};
  }

  publish(): void {}

  clockMs(): number {
    return this.machine.wallMs;
  }

  close(): void {}
}

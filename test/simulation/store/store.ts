import { BallotReader } from '../../../core/store/ballots/reader.ts';
import { EmbeddedLines } from '../../../core/store/embedded/lines.ts';
import { EmbeddedPresence } from '../../../core/store/embedded/presence.ts';
import { EmbeddedTrails } from '../../../core/store/embedded/trails.ts';
import type { Ballots, Condition, Lines, Presence, Store, Trails } from '../../../core/store/store.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import type { Access } from './access.ts';
import type { Database } from './database.ts';
import { type Disk, LocalAccess } from './disk.ts';
import { SimulatedChanges, SimulatedCounts, SimulatedLog } from './log.ts';
import { SimulatedLines, SimulatedPresence, SimulatedRegistry } from './registry.ts';
import type { RemoteAccess, StoreServer } from './server.ts';

/** How many connection numbers one write reserves. */
const RESERVED_TOGETHER = 10_000;
const RESERVED = 'reserved';

interface Kinds {
  readonly presence: Presence;
  readonly trails: Trails;
  readonly lines: Lines;
}

/** A simulated store, as one process sees it: shared by several processes (`shared`), or on the process’s own disk (`local`). */
export class SimulatedStore implements Store {
  readonly log: SimulatedLog;
  readonly counts: SimulatedCounts;
  readonly ballots: Ballots;
  readonly changes: SimulatedChanges;
  readonly registry: SimulatedRegistry;
  readonly presence: Presence;
  readonly trails: Trails;
  readonly lines: Lines;
  private readonly access: Access;

  private constructor(log: SimulatedLog, access: Access, database: Database, { presence, trails, lines }: Kinds) {
    this.log = log;
    this.access = access;
    this.counts = new SimulatedCounts(access, database);
    this.ballots = new BallotReader(this);
    this.changes = new SimulatedChanges(access, database);
    this.registry = new SimulatedRegistry(access, database);
    this.presence = presence;
    this.trails = trails;
    this.lines = lines;
  }

  /** Offsets are made from the server’s clock, as in a stream of Redis. */
  static shared(world: World, machine: Machine, server: StoreServer): { store: SimulatedStore; access: RemoteAccess } {
    const { database } = server;
    const access = server.connect(machine);
    const nextOffset = (last: string): string => {
      const [major = 0, minor = 0] = last.split('-').map(Number);
      const nowMs = access.clockMs();
      return nowMs > major ? `${nowMs}-0` : `${major}-${minor + 1}`;
    };
    const log = new SimulatedLog({ world, machine, access, database, isRetried: true, nextOffset });
    const store = new SimulatedStore(log, access, database, {
      presence: new SimulatedPresence(access, database),
      trails: new EmbeddedTrails(),
      lines: new SimulatedLines(access, database),
    });
    return { store, access };
  }

  /** Offsets count. What the embedded store has only in memory is the product’s own. */
  static local(world: World, machine: Machine, disk: Disk): SimulatedStore {
    const { database } = disk;
    const access = new LocalAccess(disk, machine);
    const nextOffset = (last: string): string => `${Number.parseInt(last, 10) + 1}-0`;
    const log = new SimulatedLog({ world, machine, access, database, isRetried: false, nextOffset });
    return new SimulatedStore(log, access, database, {
      presence: new EmbeddedPresence(),
      trails: new EmbeddedTrails(),
      lines: new EmbeddedLines(connectionNumbers(access, database)),
    });
  }

  /** Always well: nothing that is simulated asks. */
  condition(): Condition {
    return { ok: true };
  }

  async close(): Promise<void> {
    this.registry.close();
    this.access.close();
  }
}

/** Numbers for connections, which are reserved on disk before they are used, so that a restart never uses them again. */
function connectionNumbers(access: Access, database: Database): () => Promise<number> {
  let reserved = Number(database.table('kept').get(RESERVED) ?? 0);
  let number = reserved;
  let reserving: Promise<unknown> = Promise.resolve();
  return async () => {
    const next = ++number;
    if (next > reserved) {
      reserved = next + RESERVED_TOGETHER;
      const text = String(reserved);
      reserving = access.call('rest', 'keep', () => database.journal.set(database.table('kept'), RESERVED, text));
      reserving.catch(() => {
        reserved = 0;
      });
    }
    await reserving;
    return next;
  };
}

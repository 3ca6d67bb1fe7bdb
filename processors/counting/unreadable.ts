import type { Log } from '../../core/runtime/log.ts';
import { DeadEntries } from '../../core/store/dead-entries.ts';
import type { Offset } from '../../core/store/offset.ts';
import type { LoggedEntry, Store } from '../../core/store/store.ts';
import type { UnreadableEntry } from '../../core/voting/count/entry.ts';
import type { FoldedEntry } from '../../core/voting/count/fold.ts';
import { roundKey, type Slice } from '../../core/voting/count/slice.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import type { DamagedEntry } from './open-rounds.ts';

/** How long in ms a partition rests at an entry in a newer format before it is looked at again. */
const REST_MS = 1_000;
/** Of each poll, the newest rounds among which open ones are looked for. */
const MAX_ROUNDS = 100;

/** An entry that can be folded, and its place. */
export interface Foldable {
  readonly offset: Offset;
  readonly entry: FoldedEntry;
}

interface UnreadableParts {
  readonly store: Store;
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
}

/**
 * What happens to entries that the counter cannot read. A damaged entry is set aside, once, so that the entries behind it are
 * counted. An entry in a newer format is not damaged: its partition waits for a process that can read it.
 */
export class Unreadable {
  private readonly parts: UnreadableParts;
  private readonly dead: DeadEntries;
  /** Partitions that wait at an entry in a newer format, and until when (`performance.now()`) they rest. */
  private readonly waiting = new Map<number, { offset: Offset; format: number; restsUntilMs: number }>();

  constructor(parts: UnreadableParts) {
    this.parts = parts;
    this.dead = new DeadEntries(parts.store.registry);
  }

  /** Why not everything is counted, as a sentence; undefined if nothing waits. */
  get problem(): string | undefined {
    const [first] = this.waiting;
    if (!first) return undefined;
    const [partition, { offset, format }] = first;
    const others = this.waiting.size > 1 ? ` (and ${this.waiting.size - 1} more)` : '';
    return `entry ${offset} of partition ${partition}${others} has format ${format}, which this version cannot read; update this process, and its votes are counted`;
  }

  isResting(partition: number): boolean {
    return performance.now() < (this.waiting.get(partition)?.restsUntilMs ?? 0);
  }

  /** Forgets that a partition waits, because it is counted elsewhere now. */
  forget(partition: number): void {
    this.waiting.delete(partition);
    this.measure();
  }

  /** The entries before the first one in a newer format; if there is one first of all, the partition rests. */
  readable(partition: number, logged: readonly LoggedEntry[]): readonly Foldable[] {
    const readable: Foldable[] = [];
    for (const { offset, entry } of logged) {
      if (entry.type === 'newer') {
        if (readable.length === 0) this.rest(partition, offset, entry.format);
        return readable;
      }
      readable.push({ offset, entry });
    }
    this.forget(partition);
    return readable;
  }

  /** The slices of a partition in which votes count at its offset. Any of them may lack what an unreadable entry contained. */
  async openSlices(partition: number): Promise<Slice[]> {
    const { registry, counts } = this.parts.store;
    const open: Slice[] = [];
    for (const { id, value } of await registry.list<Poll>('polls')) {
      const last = Math.max(value.round, value.retiredRounds ?? 0);
      for (let round = last; round > Math.max(0, last - MAX_ROUNDS); round--) {
        const slice = await counts.slice(partition, id, round);
        if (slice?.open) open.push(slice);
      }
    }
    return open;
  }

  /**
   * Remembers the unreadable entries of a batch, before it is committed.
   *
   * @param rounds the rounds in which votes counted at each of them, as `roundKey`
   */
  async setAside(
    partition: number,
    batch: readonly Foldable[],
    rounds: ReadonlyMap<UnreadableEntry, readonly string[]>,
  ): Promise<void> {
    for (const [offset, entry] of unreadableIn(batch)) {
      await this.dead.setAside(partition, offset, entry, rounds.get(entry) ?? []);
    }
  }

  /** Remembers entries that were counted and cannot be read any more, and says so. */
  async setAsideCounted(partition: number, damaged: readonly DamagedEntry[]): Promise<void> {
    if (damaged.length === 0) return;
    const rounds = (await this.openSlices(partition)).map(({ poll, round }) => roundKey(poll, round));
    for (const { offset, entry } of damaged) {
      await this.dead.setAside(partition, offset, entry, rounds, { wasCounted: true });
      this.parts.metrics.unreadable.inc();
      this.parts.log.error(
        { partition, offset, why: entry.why },
        'an entry of the vote log was damaged after it was counted, and before its ballots were stored; it was set aside, and open rounds will not be final: `pollcast log dead`',
      );
    }
  }

  /** Says which entries have been set aside, once their batch is committed. */
  report(partition: number, batch: readonly Foldable[]): void {
    for (const [offset, { why }] of unreadableIn(batch)) {
      this.parts.metrics.unreadable.inc();
      this.parts.log.error(
        { partition, offset, why },
        'an entry of the vote log cannot be read and was set aside; open rounds lack a part and will not be final: `pollcast log dead`',
      );
    }
  }

  private rest(partition: number, offset: Offset, format: number): void {
    if (this.waiting.get(partition)?.offset !== offset) {
      const message = 'an entry of the vote log is in a newer format; its partition waits for a newer processor';
      this.parts.log.error({ partition, offset, format }, message);
    }
    this.waiting.set(partition, { offset, format, restsUntilMs: performance.now() + REST_MS });
    this.measure();
  }

  private measure(): void {
    this.parts.metrics.waitingForNewer.set(this.waiting.size);
  }
}

function unreadableIn(batch: readonly Foldable[]): [Offset, UnreadableEntry][] {
  return batch.flatMap(({ offset, entry }) => (entry.type === 'unreadable' ? [[offset, entry] as const] : [])) as [
    Offset,
    UnreadableEntry,
  ][];
}

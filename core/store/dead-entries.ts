import { createHash } from 'node:crypto';
import type { UnreadableEntry } from '../voting/count/entry.ts';
import type { Offset } from './offset.ts';
import type { Registry } from './store.ts';

/** How many set aside entries are remembered. Of any further ones, only their number is known, by the metric. */
const MAX_REMEMBERED = 1_000;

/** An entry of the vote log that could not be read. Its content stays in the log, because it may be votes. */
export interface DeadEntry {
  readonly partition: number;
  readonly offset: Offset;
  /** What is wrong with it. */
  readonly why: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The rounds in which votes counted at this place, as `<poll>/<round>`: they may lack votes. */
  readonly rounds: readonly string[];
  /** In ms since 1970. */
  readonly foundAtMs: number;
  /**
   * True if it could be read when it was counted, and was damaged before its ballots were stored. Until they are stored without
   * it, each processor that takes the partition over finds it again.
   */
  readonly wasCounted?: boolean;
}

/** The entries that were set aside, so that counting could go on. */
export class DeadEntries {
  private readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** Remembers an entry; once, however often it is found. @param more whether it had been counted before */
  async setAside(
    partition: number,
    offset: Offset,
    { why, content }: UnreadableEntry,
    rounds: readonly string[],
    more: Pick<DeadEntry, 'wasCounted'> = {},
  ): Promise<void> {
    if ((await this.registry.list('dead')).length >= MAX_REMEMBERED) return;
    const sha256 = createHash('sha256').update(content).digest('hex');
    const [bytes, foundAtMs] = [Buffer.byteLength(content), Date.now()];
    const entry: DeadEntry = { partition, offset, why, bytes, sha256, rounds, foundAtMs, ...more };
    await this.registry.put('dead', `${partition}/${offset}`, entry, 0);
  }

  /** The offsets of a partition’s entries that could not be read when they were counted, so that rounds say so already. */
  async knownIn(partition: number): Promise<ReadonlySet<Offset>> {
    const found = (await this.all()).filter((one) => one.partition === partition && !one.wasCounted);
    return new Set(found.map(({ offset }) => offset));
  }

  /** All of them, the latest first. */
  async all(): Promise<readonly DeadEntry[]> {
    const found = await this.registry.list<DeadEntry>('dead');
    return found.map(({ value }) => value).sort((a, b) => b.foundAtMs - a.foundAtMs);
  }
}

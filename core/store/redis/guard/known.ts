import { compareOffsets, type Offset, START } from '../../offset.ts';

/** How long in ms it takes until an entry is settled: no failover or restart may lose it then, whatever the durability. */
const SETTLED_MS = 15_000;
/** How long in ms after a restart or a failover newer entries may turn out to be missing because of it. */
export const AFTERMATH_MS = 30_000;

/** What is left of a partition, as `survey.lua` found it. */
export interface Survey {
  readonly mark: string;
  readonly exists: boolean;
  /** The last offset that the log gave to an entry. */
  readonly last: Offset;
  /** The offset of its newest entry; `START` if it has none. */
  readonly newest: Offset;
  readonly added: number;
  readonly hasSettled: boolean;
  readonly hasRecent: boolean;
  readonly counted: Offset;
}

/** What a survey says about a partition: all is there, its newest entries are missing, or more than that. */
export type Finding = 'whole' | 'shortened' | 'gone';

/** What this process knows to be in the log of one partition. */
export class KnownLog {
  /** The newest entry that is known; empty if none is. */
  recent: Offset | '' = '';
  /** The newest of those that have been known for a while. */
  settled: Offset | '' = '';
  private settling: { readonly offset: Offset; readonly atMs: number } | undefined;
  private added = 0;
  private counted: Offset = START;

  /** True if the log is known to have entries. */
  get isBegun(): boolean {
    return this.recent !== '';
  }

  /** Notes an entry that was acknowledged or read. */
  note(offset: Offset): void {
    if (this.recent === '' || compareOffsets(offset, this.recent) > 0) this.recent = offset;
  }

  /** Lets entries settle. Call it before each survey. @param nowMs of `performance.now()` */
  settle(nowMs: number): void {
    if (this.settling && nowMs - this.settling.atMs >= SETTLED_MS) {
      this.settled = this.settling.offset;
      this.settling = undefined;
    }
    if (!this.settling && this.recent !== '') this.settling = { offset: this.recent, atMs: nowMs };
  }

  /** Compares what was found with what is known. */
  judge({ exists, last, added, hasSettled, hasRecent, counted }: Survey): Finding {
    if (compareOffsets(counted, last) > 0 || !hasSettled) return 'gone';
    if (!exists && this.settled !== '') return 'gone';
    const isShorter = !hasRecent || added < this.added || compareOffsets(counted, this.counted) < 0;
    return isShorter ? 'shortened' : 'whole';
  }

  /**
   * Learns what was found.
   *
   * @param isStored false if entries may be in the log although they were not acknowledged, because replicas lack them
   */
  learn({ newest, added, counted }: Survey, isStored: boolean): void {
    if (!isStored) return;
    if (newest !== START) this.note(newest);
    this.added = added;
    this.counted = counted;
  }

  /** Forgets what was known beyond what was found. */
  reset({ newest }: Survey, hasSettled: boolean): void {
    this.recent = newest === START ? '' : newest;
    if (!hasSettled) this.settled = '';
    this.settling = undefined;
    this.added = 0;
    this.counted = START;
  }
}

/** Entries that a restart or a failover has lost. */
export interface Loss {
  readonly partition: number;
  /** The last entry that is left. */
  readonly after: Offset;
  /** The last entry that was known to be stored. */
  readonly until: Offset;
}

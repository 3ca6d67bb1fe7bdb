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
  /** True if it has all of `Expected.recent`. */
  readonly hasRecent: boolean;
  readonly counted: Offset;
}

/** What a survey says about a partition: all is there, its newest entries are missing, or more than that. */
export type Finding = 'whole' | 'shortened' | 'gone';

/** Offsets of entries that a survey must find. */
export interface Expected {
  /** Empty if no entry has settled yet. */
  readonly settled: Offset | '';
  readonly recent: readonly Offset[];
}

/** What this process knows to be in the log of one partition. */
export class KnownLog {
  /** The newest entry that is known; empty if none is. */
  recent: Offset | '' = '';
  /** The newest of those that surveys have found for a while. */
  private settled: Offset | '' = '';
  private settling: { readonly offset: Offset; readonly atMs: number } | undefined;
  /** The oldest entry that was noted since the last survey began. */
  private first: Offset | '' = '';
  /** The oldest entry that was noted before the last survey began, unless that has found it. */
  private unconfirmed: Offset | '' = '';
  private surveyedAtMs = Number.NEGATIVE_INFINITY;
  private added = 0;
  private counted: Offset = START;

  /** Notes an entry that was acknowledged or read. It hides no earlier one that no survey has found yet. */
  note(offset: Offset): void {
    if (this.recent !== '' && compareOffsets(offset, this.recent) <= 0) return;
    this.recent = offset;
    if (this.first === '') this.first = offset;
  }

  /** Begins a survey. @param nowMs of `performance.now()` @returns what it must find */
  expect(nowMs: number): Expected {
    this.surveyedAtMs = nowMs;
    if (this.unconfirmed === '') this.unconfirmed = this.first;
    this.first = '';
    if (!this.settling && this.recent !== '') this.settling = { offset: this.recent, atMs: nowMs };
    const recent = new Set([this.unconfirmed, this.settling?.offset ?? '', this.recent]);
    recent.delete('');
    return { settled: this.settled, recent: [...recent] };
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
    this.unconfirmed = '';
    if (this.settling && this.surveyedAtMs - this.settling.atMs >= SETTLED_MS) {
      this.settled = this.settling.offset;
      this.settling = undefined;
    }
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
    this.first = '';
    this.unconfirmed = '';
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

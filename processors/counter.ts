import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Offset } from '../core/store/offset.ts';
import type { LoggedEntry, Store } from '../core/store/store.ts';
import type { RejectionCounts } from '../core/voting/accounting.ts';
import type { Entry } from '../core/voting/entry.ts';
import { type Ballots, type FoldState, fold, touchedBy } from '../core/voting/fold.ts';
import { roundKey, type Slice } from '../core/voting/slice.ts';
import type { ProcessorMetrics } from './metrics.ts';

/** Entries read at once and votes folded in one commit, at most: bounds how long everything else has to wait. */
const MAX_ENTRIES = 16;
const MAX_VOTES = 5_000;
/** How long a read waits for news, ms; also how long a stop may have to wait. */
const READ_WAIT_MS = 1_000;
/** After a commit, how long to let entries gather, ms: one commit of many costs little more than one of few. */
const GATHER_MS = 10;
/** Slices kept in memory between commits, per partition; the least recently used go first. */
const MAX_SLICES = 256;
/** Pause after a failed read or commit: doubles from the first to the second, ms. */
const RETRY_MS = { first: 100, most: 5_000 } as const;

/** What a partition's count stands at, as this process last read or committed it. */
interface Standing {
  offset: Offset;
  readonly producers: Map<string, number>;
  readonly refused: RejectionCounts;
  readonly slices: Map<string, Slice>;
}

/**
 * Counts: reads partitions of the vote log from their committed offset, folds, and commits with a compare-and-set
 * on that offset. A crash, a paused twin or a second counter can repeat the reading, never the effect.
 */
export class Counter {
  readonly name = 'counter';
  private readonly store: Store;
  private readonly log: Log;
  private readonly partitions: () => readonly number[];
  private readonly metrics: ProcessorMetrics;
  private readonly standings = new Map<number, Standing>();
  private readonly halt = new AbortController();
  private loop: Promise<void> | undefined;

  /** @param partitions the partitions to count; asked before each read, so that leases may come and go */
  constructor(store: Store, log: Log, partitions: () => readonly number[], metrics: ProcessorMetrics) {
    this.store = store;
    this.metrics = metrics;
    this.log = log.child({ part: 'counter' });
    this.partitions = partitions;
  }

  async start(): Promise<void> {
    this.loop = this.run();
  }

  /** Finishes the commit under way. What is still on the log is counted by whoever comes next. */
  async stop(): Promise<void> {
    this.halt.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    let pauseMs: number = RETRY_MS.first;
    while (!this.halt.signal.aborted) {
      try {
        await this.step();
        pauseMs = RETRY_MS.first;
      } catch (error) {
        this.standings.clear();
        this.metrics.commits.inc({ outcome: 'failed' });
        this.log.error({ err: error, retryMs: pauseMs }, 'counting failed; votes are safe on the log, trying again');
        await pause(pauseMs, this.halt.signal);
        pauseMs = Math.min(pauseMs * 2, RETRY_MS.most);
      }
    }
  }

  /** Reads once, and counts what there is in every partition. */
  private async step(): Promise<void> {
    const cursors = new Map<number, Offset>();
    const partitions = this.partitions();
    this.forgetBut(partitions);
    for (const partition of partitions) cursors.set(partition, (await this.standing(partition)).offset);
    const { signal } = this.halt;
    const found = await this.store.log.read(cursors, { limit: MAX_ENTRIES, waitMs: READ_WAIT_MS, signal });
    for (const partition of partitions) this.measureLag(partition, found.get(partition));
    // A store that answers with nothing before its wait is over must not keep this process from everything else.
    if (found.size === 0) return pause(1, signal);
    const batches = [...found].map(([partition, entries]) => [partition, firstVotes(entries)] as const);
    await Promise.all(batches.map(([partition, entries]) => this.count(partition, entries)));
    const isBehind = [...found].some(
      ([, entries], i) => entries.length === MAX_ENTRIES || entries.length > (batches[i]?.[1].length ?? 0),
    );
    if (!isBehind) await pause(GATHER_MS, signal);
  }

  /** What others count from now on is not kept; it would be out of date when it comes back. */
  private forgetBut(partitions: readonly number[]): void {
    for (const partition of this.standings.keys()) {
      if (partitions.includes(partition)) continue;
      this.standings.delete(partition);
      this.metrics.lagSeconds.remove({ partition });
    }
  }

  /** How old the oldest entry is that waits to be counted; by two clocks, so a little below zero is zero. */
  private measureLag(partition: number, entries: readonly LoggedEntry[] = []): void {
    const atMs = entries[0]?.entry.atMs;
    this.metrics.lagSeconds.set({ partition }, atMs === undefined ? 0 : Math.max(0, (Date.now() - atMs) / 1000));
  }

  private async count(partition: number, logged: readonly LoggedEntry[]): Promise<void> {
    const standing = await this.standing(partition);
    const entries = logged.map(({ entry }) => entry);
    const state = await this.load(partition, standing, entries);
    const changes = fold(state, entries);
    const offset = (logged.at(-1) as LoggedEntry).offset;
    const { refused } = standing;
    const startMs = performance.now();
    const expected = standing.offset;
    const commit = { partition, expected, offset, entries: entries.length, ...changes, refused };
    const done = await this.store.counts.commit(commit);
    this.metrics.commits.inc({ outcome: done ? 'done' : 'lost' });
    this.metrics.commitSeconds.observe((performance.now() - startMs) / 1000);
    if (!done) {
      this.log.warn({ partition, offset }, 'another counter was faster; reading again from its offset');
      this.standings.delete(partition);
      return;
    }
    standing.offset = offset;
    this.metrics.commitVotes.observe(entries.reduce((sum, entry) => sum + votesIn(entry), 0));
    trim(standing.slices);
  }

  private async standing(partition: number): Promise<Standing> {
    const known = this.standings.get(partition);
    if (known) return known;
    const standing = { ...(await this.store.counts.position(partition)), slices: new Map<string, Slice>() };
    this.standings.set(partition, standing);
    return standing;
  }

  /** Brings the slices and ballots that the entries touch into memory. */
  private async load(partition: number, standing: Standing, entries: readonly Entry[]): Promise<FoldState> {
    const { counts } = this.store;
    const { slices, producers, refused } = standing;
    const touched = touchedBy(entries);
    const ballots = new Map<string, Ballots>();
    for (const { poll, round, devices } of touched) {
      const key = roundKey(poll, round);
      const slice = slices.get(key) ?? (await counts.slice(partition, poll, round));
      if (!slice) continue;
      slices.delete(key);
      slices.set(key, slice);
      const held = await counts.ballots(partition, poll, round, devices);
      const known: Ballots = new Map();
      for (const [i, ballot] of held.entries()) if (ballot) known.set(devices[i] as string, ballot);
      ballots.set(key, known);
    }
    return { slices, ballots, producers, refused };
  }
}

/** As many entries as hold `MAX_VOTES` votes; at least one. */
function firstVotes(entries: readonly LoggedEntry[]): readonly LoggedEntry[] {
  let votes = 0;
  const end = entries.findIndex(({ entry }) => {
    votes += votesIn(entry);
    return votes >= MAX_VOTES;
  });
  return end === -1 ? entries : entries.slice(0, end + 1);
}

function votesIn(entry: Entry): number {
  return entry.type === 'votes' ? entry.rounds.reduce((sum, { votes }) => sum + votes.length, 0) : 0;
}

function trim(slices: Map<string, Slice>): void {
  for (const key of slices.keys()) {
    if (slices.size <= MAX_SLICES) return;
    slices.delete(key);
  }
}

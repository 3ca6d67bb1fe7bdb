import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import { LruMap } from '../runtime/lru-map.ts';
import { compareOffsets, type Offset, START } from '../store/offset.ts';
import type { CountChange, Store } from '../store/store.ts';
import { roundKey } from '../voting/count/slice.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { isTimeDependent, type OpenResult } from '../voting/result/result.ts';
import type { Audience } from '../voting/result/visibility.ts';
import { every, pause } from '../waiting/pause.ts';
import { repeat } from '../waiting/repeat.ts';
import { type Calculator, CopyLost } from './calculator/calculator.ts';
import { LiveRound } from './live-round.ts';
import type { PollBook } from './poll-book.ts';
import { type View, Views } from './views.ts';

/** The maximum number of changes read from the feed at a time, per partition. */
const MAX_CHANGES = 256;
const READ_WAIT_MS = 1_000;
/** Pause in ms after reading changes, so that more accumulate. It is short, because it delays what viewers see. */
const GATHER_MS = 5;
const RETRY_MS = { first: 1_000 } as const;
/** Interval in ms at which results that change without new votes are announced. */
const TICK_MS = 1_000;
/** The maximum number of rounds kept in memory. The least recently used rounds are evicted, and loaded again on request. */
const MAX_ROUNDS = 1_000;

/** How often a result is asked for again if the calculator has lost its round meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * The live read model: follows the change feed and serves current results. A round is loaded when it is first requested, and
 * then kept up to date in memory. Emits `change` with a poll’s id when its results or status may have changed.
 */
export class LiveResults extends EventEmitter<{ change: [poll: string] }> {
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly log: Log;
  private readonly cursors = new Map<number, Offset>();
  private readonly rounds = new LruMap<string, LiveRound>();
  private readonly loading = new Map<string, { round: Promise<LiveRound>; missed: CountChange[] }>();
  private readonly calculator: Calculator | undefined;
  private readonly views = new Views();
  /** Increases whenever rounds are forgotten because changes may have been missed. */
  private generation = 0;
  private readonly halt = new AbortController();
  private following = Promise.resolve();

  private constructor(store: Store, polls: PollBook, log: Log, calculator: Calculator | undefined) {
    super();
    this.calculator = calculator;
    this.setMaxListeners(0);
    this.store = store;
    this.polls = polls;
    this.log = log.child({ part: 'results' });
  }

  /**
   * Follows the count from its current position.
   *
   * @param calculator computes large results in another thread; without it, all are computed in this one
   */
  static async open(store: Store, polls: PollBook, log: Log, calculator?: Calculator): Promise<LiveResults> {
    const results = new LiveResults(store, polls, log, calculator);
    for (let p = 0; p < store.log.partitions; p++) await results.rewind(p);
    const { signal } = results.halt;
    polls.on('change', results.onPoll);
    calculator?.on('lost', results.onLost);
    every(TICK_MS, signal, () => results.tick());
    const failureMessage = 'could not follow the change feed; trying again';
    results.following = repeat(() => results.follow(), { signal, retryMs: RETRY_MS, log: results.log, failureMessage });
    return results;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.polls.off('change', this.onPoll);
    this.calculator?.off('lost', this.onLost);
    await this.following;
  }

  private readonly onPoll = (poll: string): void => {
    // If the store has lost a poll, a new one may have the same id and round.
    if (!this.polls.get(poll)) this.drop(poll);
    this.emit('change', poll);
  };

  private readonly onLost = (): void => {
    this.dropIf((_, round) => round.isCopied);
  };

  private drop(poll: string): void {
    this.generation++;
    this.dropIf((key) => key.startsWith(`${poll}/`));
  }

  private discard(key: string, round: LiveRound): void {
    if (this.rounds.get(key) === round) this.rounds.delete(key);
    round.drop();
  }

  private dropIf(isDropped: (key: string, round: LiveRound) => boolean): void {
    for (const [key, round] of this.rounds) {
      if (!isDropped(key, round)) continue;
      this.discard(key, round);
    }
  }

  /**
   * The result of the poll’s round, loaded from the store if it is not in memory. For a poll from `pollInRound`, this is the
   * result of that earlier round. As long as nothing changes, it is the same object.
   */
  async result(poll: Poll): Promise<OpenResult> {
    for (let attempt = 1; ; attempt++) {
      const round = await this.round(poll);
      try {
        return await round.result(poll);
      } catch (error) {
        if (error instanceof CopyLost) this.discard(keyOf(poll), round);
        if (!(error instanceof CopyLost) || attempt === MAX_ATTEMPTS || this.halt.signal.aborted) throw error;
      }
    }
  }

  /** The result of the poll’s round as an audience sees it. As long as nothing changes, it is the same object. */
  async view(poll: Poll, audience: Audience): Promise<View> {
    return this.views.of(await this.result(poll), poll, audience);
  }

  private async round(poll: Poll): Promise<LiveRound> {
    const key = keyOf(poll);
    const known = this.rounds.use(key);
    if (known) return known;
    const loading = this.loading.get(key);
    if (loading) return loading.round;
    const missed: CountChange[] = [];
    const round = this.load(poll, missed).finally(() => this.loading.delete(key));
    this.loading.set(key, { round, missed });
    return round;
  }

  /** Loads a round’s slices, and applies newer changes that arrive in the meantime. */
  private async load(poll: Poll, missed: readonly CountChange[]): Promise<LiveRound> {
    const key = keyOf(poll);
    const { generation } = this;
    const slices = [];
    const readAt: Offset[] = [];
    for (let p = 0; p < this.store.log.partitions; p++) {
      readAt.push(await this.offsetOf(p));
      slices.push(await this.store.counts.slice(p, poll.definition.poll, poll.round));
    }
    // Changes since then may have been missed, or the round may be another one.
    if (this.generation !== generation) return this.load(poll, missed);
    const round = new LiveRound(key, slices, this.calculator);
    for (const change of missed) {
      const since = readAt[change.partition];
      if (since === undefined || compareOffsets(change.offset, since) <= 0) continue;
      applyTo(round, key, change);
    }
    this.rounds.put(key, round);
    for (const [, evicted] of this.rounds.trim(MAX_ROUNDS)) evicted.drop();
    return round;
  }

  /**
   * The offset of what is read next from a partition’s slices. After a failover, the store may lack changes that were already
   * followed. They will be committed again, at the same offset, so they must be followed again: the slices do not have them.
   */
  private async offsetOf(partition: number): Promise<Offset> {
    const followed = this.cursors.get(partition) ?? START;
    const { offset, changed } = await this.store.counts.position(partition);
    if (compareOffsets(changed, followed) < 0) this.cursors.set(partition, changed);
    return offset;
  }

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    const read = { limit: MAX_CHANGES, waitMs: READ_WAIT_MS, signal };
    const { changes, gaps } = await this.store.changes.read(this.cursors, read);
    for (const partition of gaps) await this.rewind(partition);
    if (gaps.length > 0) this.forget();
    this.apply(changes);
    // Pause even without changes: a store that returns early must not turn this into a busy loop.
    await pause(changes.length === 0 ? 1 : GATHER_MS, signal);
  }

  private apply(changes: readonly CountChange[]): void {
    const moved = new Set<string>();
    for (const change of changes) {
      this.cursors.set(change.partition, change.offset);
      for (const { missed } of this.loading.values()) missed.push(change);
      for (const { poll, round } of change.slices) {
        const key = roundKey(poll, round);
        const known = this.rounds.get(key);
        if (known) applyTo(known, key, change);
        moved.add(poll);
      }
    }
    for (const poll of moved) this.emit('change', poll);
  }

  /** Announces polls whose results have changed even without new votes, because old votes expired. */
  private tick(): void {
    const nowMs = Date.now();
    for (const poll of this.polls.all()) {
      if (poll.status !== 'open' || !isTimeDependent(poll.definition)) continue;
      if (this.rounds.get(keyOf(poll))?.hasChanged(nowMs) ?? true) this.emit('change', poll.definition.poll);
    }
  }

  /** Moves the cursor to the end of the change feed, skipping any changes that have not been read. */
  private async rewind(partition: number): Promise<void> {
    this.cursors.set(partition, (await this.store.counts.position(partition)).changed);
  }

  /** Drops everything in memory, because changes may have been missed. Rounds are loaded again on request. */
  private forget(): void {
    this.generation++;
    this.dropIf(() => true);
    for (const poll of this.polls.all()) this.emit('change', poll.definition.poll);
  }
}

const keyOf = (poll: Poll): string => roundKey(poll.definition.poll, poll.round);

function applyTo(round: LiveRound, key: string, { partition, slices }: CountChange): void {
  for (const change of slices) if (roundKey(change.poll, change.round) === key) round.apply(partition, change);
}

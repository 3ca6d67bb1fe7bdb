import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import { LruMap } from '../runtime/lru-map.ts';
import { compareOffsets, type Offset } from '../store/offset.ts';
import type { CountChange, Store } from '../store/store.ts';
import { applyChange, roundKey, type Slice } from '../voting/count/slice.ts';
import { merge, type Tally } from '../voting/count/tally.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { isTimeDependent, type OpenResult, resultOf } from '../voting/result/result.ts';
import { every, pause } from '../waiting/pause.ts';
import { repeat } from '../waiting/repeat.ts';
import type { PollBook } from './poll-book.ts';

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

/** A round’s slices, indexed by partition. */
type Round = (Slice | undefined)[];

/**
 * The live read model: follows the change feed and serves current results. A round is loaded when it is first requested, and
 * then kept up to date in memory. Emits `change` with a poll’s id when its results or status may have changed.
 */
export class LiveResults extends EventEmitter<{ change: [poll: string] }> {
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly log: Log;
  private readonly cursors = new Map<number, Offset>();
  private readonly rounds = new LruMap<string, Round>();
  private readonly loading = new Map<string, { round: Promise<Round>; missed: CountChange[] }>();
  /** Computed results, cached until something changes. */
  private readonly computed = new WeakMap<Round, { readonly poll: Poll; readonly result: OpenResult }>();
  private readonly halt = new AbortController();
  private following = Promise.resolve();

  private constructor(store: Store, polls: PollBook, log: Log) {
    super();
    this.setMaxListeners(0);
    this.store = store;
    this.polls = polls;
    this.log = log.child({ part: 'results' });
  }

  /** Follows the count from its current position. */
  static async open(store: Store, polls: PollBook, log: Log): Promise<LiveResults> {
    const results = new LiveResults(store, polls, log);
    for (let p = 0; p < store.log.partitions; p++) await results.rewind(p);
    const { signal } = results.halt;
    polls.on('change', results.onPoll);
    every(TICK_MS, signal, () => results.tick());
    const failureMessage = 'could not follow the change feed; trying again';
    results.following = repeat(() => results.follow(), { signal, retryMs: RETRY_MS, log: results.log, failureMessage });
    return results;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.polls.off('change', this.onPoll);
    await this.following;
  }

  private readonly onPoll = (poll: string): void => {
    // If the store has lost a poll, a new one may have the same id and round.
    if (!this.polls.get(poll)) this.drop(poll);
    this.emit('change', poll);
  };

  private drop(poll: string): void {
    for (const key of this.rounds.keys()) if (key.startsWith(`${poll}/`)) this.rounds.delete(key);
  }

  /**
   * The result of the poll’s round, loaded from the store if it is not in memory. For a poll from `pollInRound`, this is the
   * result of that earlier round.
   */
  async result(poll: Poll): Promise<OpenResult> {
    const round = await this.round(poll);
    const known = this.computed.get(round);
    // Compared by identity: a changed poll is read as a new object, and `pollInRound` keeps the definition object of the
    // current poll.
    const isSame =
      known?.poll.definition === poll.definition &&
      known.poll.status === poll.status &&
      known.poll.recount === poll.recount &&
      known.poll.draws === poll.draws &&
      known.poll.withdrawals === poll.withdrawals &&
      known.poll.interruptions?.length === poll.interruptions?.length;
    if (known && isSame && !changesOverTime(poll)) return known.result;
    const result = resultOf(poll, round, Date.now());
    this.computed.set(round, { poll, result });
    return result;
  }

  /** The tally of the poll’s round, across all partitions. */
  async tally(poll: Poll): Promise<Tally> {
    const slices = (await this.round(poll)).filter((slice) => slice !== undefined);
    return merge(slices.map((slice) => slice.tally));
  }

  private async round(poll: Poll): Promise<Round> {
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
  private async load(poll: Poll, missed: readonly CountChange[]): Promise<Round> {
    const key = keyOf(poll);
    const round: Round = [];
    const readAt: Offset[] = [];
    for (let p = 0; p < this.store.log.partitions; p++) {
      readAt.push((await this.store.counts.position(p)).offset);
      round.push(await this.store.counts.slice(p, poll.definition.poll, poll.round));
    }
    for (const change of missed) {
      const since = readAt[change.partition];
      if (since === undefined || compareOffsets(change.offset, since) <= 0) continue;
      applyTo(round, key, change);
    }
    this.rounds.put(key, round);
    this.rounds.trim(MAX_ROUNDS);
    return round;
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
        if (known) {
          applyTo(known, key, change);
          this.computed.delete(known);
        }
        moved.add(poll);
      }
    }
    for (const poll of moved) this.emit('change', poll);
  }

  /** Announces polls whose results change even without new votes, because old votes expire. */
  private tick(): void {
    for (const poll of this.polls.all()) if (changesOverTime(poll)) this.emit('change', poll.definition.poll);
  }

  /** Moves the cursor to the end of the change feed, skipping any changes that have not been read. */
  private async rewind(partition: number): Promise<void> {
    this.cursors.set(partition, (await this.store.counts.position(partition)).changed);
  }

  /** Drops everything in memory, because changes may have been missed. Rounds are loaded again on request. */
  private forget(): void {
    this.rounds.clear();
    for (const poll of this.polls.all()) this.emit('change', poll.definition.poll);
  }
}

function changesOverTime({ definition, status }: Poll): boolean {
  return status === 'open' && isTimeDependent(definition);
}

const keyOf = (poll: Poll): string => roundKey(poll.definition.poll, poll.round);

function applyTo(round: Round, key: string, { partition, slices }: CountChange): void {
  for (const change of slices) {
    if (roundKey(change.poll, change.round) !== key) continue;
    round[partition] = applyChange(round[partition], change);
  }
}

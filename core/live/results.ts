import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import { pause } from '../runtime/pause.ts';
import { compareOffsets, type Offset } from '../store/offset.ts';
import type { Change, Store } from '../store/store.ts';
import type { Poll } from '../voting/poll.ts';
import { type Result, resultOf } from '../voting/result.ts';
import { applyChange, roundKey, type Slice } from '../voting/slice.ts';
import { merge, type Tally } from '../voting/tally.ts';
import type { PollBook } from './polls.ts';

/** Changes taken from the feed at a time, per partition. */
const MAX_CHANGES = 256;
const READ_WAIT_MS = 1_000;
/** After changes, how long to let more gather, ms: nobody looks more often than ten times a second. */
const GATHER_MS = 20;
const RETRY_MS = 1_000;
/** Rounds kept in memory; those nobody asked for longest go first and are read again when asked for. */
const MAX_ROUNDS = 1_000;

/** A round's slices, one place per partition. */
type Round = (Slice | undefined)[];

/**
 * The live read model: follows the change feed and answers for any poll "what is the result now", without
 * waiting once the poll was asked for. Emits `change` with the poll's id when its figures or its status moved.
 */
export class LiveResults extends EventEmitter<{ change: [poll: string] }> {
  readonly name = 'results';
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly log: Log;
  private readonly cursors = new Map<number, Offset>();
  private readonly rounds = new Map<string, Round>();
  private readonly loading = new Map<string, { round: Promise<Round>; missed: Change[] }>();
  /** Results that were worked out, until something moves. */
  private readonly figured = new WeakMap<Round, { readonly poll: Poll; readonly result: Result }>();
  private readonly halt = new AbortController();
  private ticking: NodeJS.Timeout | undefined;
  private loop: Promise<void> | undefined;

  constructor(store: Store, polls: PollBook, log: Log) {
    super();
    this.setMaxListeners(0);
    this.store = store;
    this.polls = polls;
    this.log = log.child({ part: 'results' });
  }

  async start(): Promise<void> {
    for (let p = 0; p < this.store.log.partitions; p++) await this.rewind(p);
    this.polls.on('change', (poll) => this.emit('change', poll));
    this.loop = this.follow();
    this.ticking = setInterval(() => this.tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.ticking);
    this.halt.abort();
    await this.loop;
  }

  /**
   * The result of the poll's round, read from the store if this process does not follow it yet. A poll as it stood in an
   * earlier round (`inRound`) has that round's.
   */
  async result(poll: Poll): Promise<Result> {
    const round = await this.round(poll);
    const known = this.figured.get(round);
    // A poll that changed is read anew, definition and all; one in an earlier round has the definition it has now.
    const isSame =
      known?.poll.definition === poll.definition &&
      known.poll.status === poll.status &&
      known.poll.recount === poll.recount;
    if (known && isSame && !isAboutNow(poll)) return known.result;
    const result = resultOf(poll, round, Date.now());
    this.figured.set(round, { poll, result });
    return result;
  }

  /** What is counted of the poll's round, in all partitions together. */
  async tally(poll: Poll): Promise<Tally> {
    const slices = (await this.round(poll)).filter((slice) => slice !== undefined);
    return merge(slices.map((slice) => slice.tally));
  }

  private async round(poll: Poll): Promise<Round> {
    const key = keyOf(poll);
    const known = this.rounds.get(key);
    if (known) {
      this.rounds.delete(key);
      this.rounds.set(key, known);
      return known;
    }
    const under = this.loading.get(key);
    if (under) return under.round;
    const missed: Change[] = [];
    const round = this.load(poll, missed).finally(() => this.loading.delete(key));
    this.loading.set(key, { round, missed });
    return round;
  }

  /** Reads a round's slices; changes that arrive meanwhile are applied on top, where they are newer. */
  private async load(poll: Poll, missed: readonly Change[]): Promise<Round> {
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
    this.rounds.set(key, round);
    for (const oldest of this.rounds.keys()) {
      if (this.rounds.size <= MAX_ROUNDS) break;
      this.rounds.delete(oldest);
    }
    return round;
  }

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      try {
        const read = { limit: MAX_CHANGES, waitMs: READ_WAIT_MS, signal };
        const { changes, gaps } = await this.store.changes.read(this.cursors, read);
        for (const partition of gaps) await this.rewind(partition);
        if (gaps.length > 0) this.forget();
        this.apply(changes);
        // A store that answers with nothing before its wait is over must not keep this process from everything else.
        await pause(changes.length === 0 ? 1 : GATHER_MS, signal);
      } catch (error) {
        this.log.warn({ err: error, retryMs: RETRY_MS }, 'could not follow the count; trying again');
        await pause(RETRY_MS, signal);
      }
    }
  }

  private apply(changes: readonly Change[]): void {
    const moved = new Set<string>();
    for (const change of changes) {
      this.cursors.set(change.partition, change.offset);
      for (const { missed } of this.loading.values()) missed.push(change);
      for (const { poll, round } of change.slices) {
        const key = roundKey(poll, round);
        const known = this.rounds.get(key);
        if (known) {
          applyTo(known, key, change);
          this.figured.delete(known);
        }
        moved.add(poll);
      }
    }
    for (const poll of moved) this.emit('change', poll);
  }

  /** A pulse moves by itself: what was pressed a window ago does not count any more. */
  private tick(): void {
    for (const poll of this.polls.all()) if (isAboutNow(poll)) this.emit('change', poll.definition.poll);
  }

  /** Goes on from where the count stands now. */
  private async rewind(partition: number): Promise<void> {
    this.cursors.set(partition, (await this.store.counts.position(partition)).changed);
  }

  /** Drops everything in memory, for it may have missed changes; whoever asks reads it again. */
  private forget(): void {
    this.rounds.clear();
    for (const poll of this.polls.all()) this.emit('change', poll.definition.poll);
  }
}

/** How often results that move by themselves are told, ms. */
const TICK_MS = 1_000;

function isAboutNow({ definition, status }: Poll): boolean {
  return definition.kind === 'pulse' && status === 'open';
}

const keyOf = (poll: Poll): string => roundKey(poll.definition.poll, poll.round);

function applyTo(round: Round, key: string, { partition, slices }: Change): void {
  for (const change of slices) {
    if (roundKey(change.poll, change.round) !== key) continue;
    round[partition] = applyChange(round[partition], change);
  }
}

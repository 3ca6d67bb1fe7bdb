import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import { pause } from '../runtime/pause.ts';
import { compareOffsets, type Offset } from '../store/offset.ts';
import type { Change, Store } from '../store/store.ts';
import type { Poll } from '../voting/poll.ts';
import { type Result, resultOf } from '../voting/result.ts';
import { applyChange, roundKey, type Slice } from '../voting/slice.ts';
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
  private readonly halt = new AbortController();
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
  }

  async stop(): Promise<void> {
    this.halt.abort();
    await this.loop;
  }

  /** The poll's current result, read from the store if this process does not follow the round yet. */
  async result(poll: Poll): Promise<Result> {
    return resultOf(poll, await this.round(poll));
  }

  /** The result if it is at hand; undefined when it would have to be read first. */
  known(poll: Poll): Result | undefined {
    const round = this.rounds.get(keyOf(poll));
    return round && resultOf(poll, round);
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
        if (known) applyTo(known, key, change);
        moved.add(poll);
      }
    }
    for (const poll of moved) this.emit('change', poll);
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

const keyOf = (poll: Poll): string => roundKey(poll.definition.poll, poll.round);

function applyTo(round: Round, key: string, { partition, slices }: Change): void {
  for (const change of slices) {
    if (roundKey(change.poll, change.round) !== key) continue;
    round[partition] = applyChange(round[partition], change);
  }
}

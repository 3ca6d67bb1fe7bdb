import { unpackBallot } from '../../voting/count/ballot.ts';
import { bucketOf, hashOf } from '../../voting/count/partition.ts';
import { type Slice, type StoredSlice, storedSlice } from '../../voting/count/slice.ts';
import { SEALED, START } from '../offset.ts';
import { type Commit, type CountStore, type FoundBallots, KEPT_CHANGES, type Position } from '../store.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';
import { pageValue, type StagedRound, Staging, stagedAreGone } from './staging.ts';

/**
 * The number of hashes across which earlier versions spread the ballots of a round, per partition. They are read until the round
 * is stored again.
 */
const BUCKETS = 256;
/**
 * The field of a slice’s hash that holds everything except its tally. The weights of choices are in fields named `=<choice>`.
 */
const META = 'meta';
/** The field of a round’s hash of ballots that says over how many pages it is spread. The pages are in fields `0`, `1` … */
const COUNT = 'pages';
const position = script<'position' | 'producers', never>('counts/position');
const readPages = script<'position' | 'ballots', never>('counts/pages');
const applyCommit = script<
  'position' | 'producers' | 'changeFeed' | 'voteLog',
  | 'expected'
  | 'expectedCheckpoint'
  | 'offset'
  | 'refused'
  | 'change'
  | 'keptChanges'
  | 'channel'
  | 'partition'
  | 'entries'
  | 'sealed'
  | 'checkpoint'
  | 'removed'
  | 'staged'
>('counts/commit');

/** Changes to one hash. */
interface Edit {
  readonly remove: string[];
  readonly set: (string | number | Buffer)[];
}

/** Ballots, tallies and offsets in Redis hashes. Each commit is one script call; the ballots of large checkpoints go ahead of it. */
export class RedisCounts implements CountStore {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;
  private readonly staging: Staging;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.keys = keys;
    this.staging = new Staging(connection, keys);
  }

  async position(partition: number): Promise<Position> {
    const keys = { position: this.keys.position(partition), producers: this.keys.producers(partition) };
    const found = (await replyOf(this.connection.eval(...position(keys, {})))) as [string[], string[]];
    const [{ offset, counted, changed, entries, refused, checkpoint, heard, stored }, producers] = found.map(pairs) as [
      Record<string, string>,
      Record<string, string>,
    ];
    // An earlier version moves the checkpoint without it.
    const [storedAt, storedEntries] = stored?.split(' ') ?? [];
    const isKnown = checkpoint !== undefined && storedAt === checkpoint;
    return {
      offset: counted ?? offset ?? START,
      changed: changed ?? START,
      entries: Number(entries ?? 0),
      refused: JSON.parse(refused ?? '{}'),
      producers: sortedByLastHeard(producers),
      checkpoint:
        checkpoint === undefined ? undefined : { offset: checkpoint, producers: new Map(JSON.parse(heard ?? '[]')) },
      behind: isKnown ? Number(entries ?? 0) - Number(storedEntries) : undefined,
    };
  }

  async slice(partition: number, poll: string, round: number): Promise<Slice | undefined> {
    const { [META]: meta, ...weights } = await replyOf(
      this.connection.hgetall(this.keys.slice(partition, poll, round)),
    );
    if (meta === undefined) return undefined;
    const tally = new Map(Object.entries(weights).map(([field, weight]) => [field.slice(1), Number(weight)]));
    return { poll, round, ...(JSON.parse(meta) as StoredSlice), tally };
  }

  async sliceState(partition: number, poll: string, round: number): Promise<StoredSlice | undefined> {
    const meta = await replyOf(this.connection.hget(this.keys.slice(partition, poll, round), META));
    return meta === null ? undefined : (JSON.parse(meta) as StoredSlice);
  }

  async stored(partition: number, poll: string, round: number, voters?: readonly string[]): Promise<FoundBallots> {
    const keys = { position: this.keys.position(partition), ballots: this.keys.pages(partition, poll, round) };
    const call = readPages(keys, {}, [], voters?.map((voter) => hashOf(voter) >>> 12) ?? []);
    const reply = (await replyOf(this.connection.callBuffer('EVAL', call))) as [Buffer, Buffer | null, ...Buffer[]];
    const [checkpoint, count, ...values] = reply;
    const pages = new Map<number, Buffer>();
    for (let i = 0; i < values.length; i += 2) pages.set(Number(String(values[i])), values[i + 1] as Buffer);
    if (count !== null) return { checkpoint: String(checkpoint), count: Number(String(count)), pages, rows: [] };
    const rows = await this.rowsOf(partition, poll, round, voters);
    // A checkpoint may have replaced them by pages meanwhile.
    if (await replyOf(this.connection.hexists(keys.ballots, COUNT))) {
      return this.stored(partition, poll, round, voters);
    }
    return { checkpoint: String(checkpoint), count: 0, pages, rows };
  }

  /** The ballots of a round as earlier versions stored them. */
  private async rowsOf(partition: number, poll: string, round: number, voters?: readonly string[]) {
    const keys = this.keys.rows(partition, poll, round, BUCKETS);
    const found: (readonly [voter: string, stored: string | null])[] = [];
    if (voters) {
      const read = voters.map((voter) => this.connection.hget(keys[bucketOf(voter, BUCKETS)] as string, voter));
      for (const [i, stored] of (await replyOf(Promise.all(read))).entries()) found.push([voters[i] as string, stored]);
    } else {
      const hashes = await replyOf(Promise.all(keys.map((key) => this.connection.hgetall(key))));
      for (const hash of hashes) found.push(...Object.entries(hash));
    }
    return found.flatMap(([voter, stored]) => (stored ? [[voter, unpackBallot(JSON.parse(stored))] as const] : []));
  }

  async commit(commit: Commit): Promise<boolean> {
    return this.staging.around(commit.partition, commit.checkpoint?.rounds ?? [], (staged) =>
      this.apply(commit, staged),
    );
  }

  private async apply(commit: Commit, staged: readonly StagedRound[]): Promise<boolean> {
    const { partition, expected, expectedCheckpoint, offset, entries, slices, refused, checkpoint } = commit;
    const edits = this.edits(commit, staged.length > 0);
    const removed = checkpoint?.rounds
      .filter(({ replacesRows }) => replacesRows)
      .flatMap(({ poll, round }) => this.keys.rows(partition, poll, round, BUCKETS));
    const producers = this.keys.producers(partition);
    const first = edits.get(producers) ?? { remove: [], set: [] };
    edits.delete(producers);
    const texts = [first, ...edits.values()].flatMap(({ remove, set }) => [
      remove.length,
      ...remove,
      set.length,
      ...set,
    ]);
    const call = applyCommit(
      {
        position: this.keys.position(partition),
        producers,
        changeFeed: this.keys.changes(partition),
        voteLog: this.keys.log(partition),
      },
      {
        expected,
        expectedCheckpoint: expectedCheckpoint ?? '',
        offset,
        refused: JSON.stringify(refused),
        change: slices.length > 0 ? JSON.stringify(slices) : '',
        keptChanges: KEPT_CHANGES,
        channel: this.keys.bell('changes'),
        partition,
        entries,
        sealed: SEALED,
        checkpoint: checkpoint ? JSON.stringify([...checkpoint.producers]) : '',
        removed: removed?.length ?? 0,
        staged: staged.length,
      },
      [...edits.keys(), ...(removed ?? []), ...staged.flatMap(({ key, round }) => [key, round])],
      [...texts, ...staged.map(({ parts }) => parts)],
    );
    // As one array: a checkpoint may have more arguments than a call can take.
    const reply = await replyOf(this.connection.call('EVAL', call));
    if (reply === -1) throw stagedAreGone(partition);
    return reply === 1;
  }

  /** What a commit changes, by key. @param isStaged true if the pages of its checkpoint have been sent already */
  private edits({ partition, offset, slices, producers, checkpoint }: Commit, isStaged: boolean): Map<string, Edit> {
    const edits = new Map<string, Edit>();
    const edit = (key: string): Edit => {
      let found = edits.get(key);
      if (!found) edits.set(key, (found = { remove: [], set: [] }));
      return found;
    };
    for (const [place, [producer, sequence]] of producers.entries()) {
      const { remove, set } = edit(this.keys.producers(partition));
      if (sequence === null) remove.push(producer);
      else set.push(producer, `${sequence} ${offset} ${place}`);
    }
    for (const slice of slices) {
      const { remove, set } = edit(this.keys.slice(partition, slice.poll, slice.round));
      set.push(META, JSON.stringify(storedSlice(slice)));
      for (const [choice, weight] of slice.weights) {
        if (weight === 0) remove.push(`=${choice}`);
        else set.push(`=${choice}`, String(weight));
      }
    }
    for (const { poll, round, count, pages } of checkpoint?.rounds ?? []) {
      if (isStaged && pages.size > 0) continue;
      const { set } = edit(this.keys.pages(partition, poll, round));
      set.push(COUNT, count);
      for (const [page, bytes] of pages) set.push(page, pageValue(bytes));
    }
    return edits;
  }
}

/**
 * Sorts producers by when they were last heard from. They are stored as `<sequence> <offset of the last commit with an entry of
 * the producer> <position in that commit>`.
 */
function sortedByLastHeard(stored: Record<string, string>): Map<string, number> {
  const heard = Object.entries(stored).map(([producer, text]) => {
    const [sequence = 0, major = 0, minor = 0, place = 0] = text.split(/[ -]/).map(Number);
    return { producer, sequence, major, minor, place };
  });
  heard.sort((a, b) => a.major - b.major || a.minor - b.minor || a.place - b.place);
  return new Map(heard.map(({ producer, sequence }) => [producer, sequence]));
}

/** Turns a flat list of fields and values into an object. */
function pairs(flat: readonly string[]): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (let i = 0; i < flat.length; i += 2) found[flat[i] as string] = flat[i + 1] as string;
  return found;
}

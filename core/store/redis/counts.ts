import { type Ballot, packBallot, unpackBallot } from '../../voting/count/ballot.ts';
import { bucketOf } from '../../voting/count/partition.ts';
import { type Slice, type StoredSlice, storedSlice } from '../../voting/count/slice.ts';
import { START } from '../offset.ts';
import { type Commit, type CountStore, KEPT_CHANGES, type Position } from '../store.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';

/**
 * The number of hashes across which the ballots of a round are spread, per partition. Redis stores a hash of up to 128 short
 * fields compactly, in a quarter of the memory, so the ballots of 32,000 devices per partition stay compact.
 */
const BUCKETS = 256;
/**
 * The field of a slice’s hash that holds everything except its tally. The weights of choices are in fields named `=<choice>`.
 */
const META = 'meta';
/** The number of buckets read at the same time while scanning. */
const SCAN_TOGETHER = 16;

const position = script<'position' | 'producers', never>('position');
const readFields = script<never, never>('fields');
const applyCommit = script<
  'position' | 'producers' | 'changeFeed' | 'voteLog',
  'expected' | 'offset' | 'refused' | 'change' | 'keptChanges' | 'channel' | 'partition' | 'entries'
>('commit');

/** Changes to one hash. */
interface Edit {
  readonly remove: string[];
  readonly set: string[];
}

/** Ballots, tallies and offsets in Redis hashes. Each commit is one script call. */
export class RedisCounts implements CountStore {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.keys = keys;
  }

  async position(partition: number): Promise<Position> {
    const keys = { position: this.keys.position(partition), producers: this.keys.producers(partition) };
    const found = (await replyOf(this.connection.eval(...position(keys, {})))) as [string[], string[]];
    const [{ offset, changed, entries, refused }, producers] = found.map(pairs) as [
      Record<string, string>,
      Record<string, string>,
    ];
    return {
      offset: offset ?? START,
      changed: changed ?? START,
      entries: Number(entries ?? 0),
      refused: JSON.parse(refused ?? '{}'),
      producers: sortedByLastHeard(producers),
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

  async ballots(partition: number, poll: string, round: number, devices: readonly string[]) {
    if (devices.length === 0) return [];
    const buckets = new Map<number, number[]>();
    for (const [place, device] of devices.entries()) {
      const bucket = bucketOf(device, BUCKETS);
      const places = buckets.get(bucket);
      if (places) places.push(place);
      else buckets.set(bucket, [place]);
    }
    const names = [...buckets.keys()].map((bucket) => this.keys.ballots(partition, poll, round, bucket));
    const fields = [...buckets.values()].flatMap((places) => [places.length, ...places.map((p) => devices[p] ?? '')]);
    const call = readFields({}, {}, names, fields);
    const values = (await replyOf(this.connection.eval(...call))) as (string | null)[];
    const found: (Ballot | undefined)[] = new Array(devices.length);
    let at = 0;
    for (const places of buckets.values()) for (const place of places) found[place] = parsed(values[at++]);
    return found;
  }

  async *scanBallots(partition: number, poll: string, round: number) {
    for (let first = 0; first < BUCKETS; first += SCAN_TOGETHER) {
      const names = Array.from({ length: SCAN_TOGETHER }, (_, i) =>
        this.keys.ballots(partition, poll, round, first + i),
      );
      for (const hash of await replyOf(Promise.all(names.map((name) => this.connection.hgetall(name))))) {
        for (const [device, stored] of Object.entries(hash)) yield [device, unpackBallot(JSON.parse(stored))] as const;
      }
    }
  }

  async commit(commit: Commit): Promise<boolean> {
    const { partition, expected, offset, entries, slices, refused } = commit;
    const edits = this.edits(commit);
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
        offset,
        refused: JSON.stringify(refused),
        change: slices.length > 0 ? JSON.stringify(slices) : '',
        keptChanges: KEPT_CHANGES,
        channel: this.keys.bell('changes'),
        partition,
        entries,
      },
      [...edits.keys()],
      texts,
    );
    return (await replyOf(this.connection.eval(...call))) === 1;
  }

  /** What a commit changes, by key. */
  private edits({ partition, offset, slices, ballots, producers }: Commit): Map<string, Edit> {
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
    for (const [poll, round, device, ballot] of ballots) {
      const { set } = edit(this.keys.ballots(partition, poll, round, bucketOf(device, BUCKETS)));
      set.push(device, JSON.stringify(packBallot(ballot)));
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

function parsed(stored: string | null | undefined): Ballot | undefined {
  return stored ? unpackBallot(JSON.parse(stored)) : undefined;
}

/** Turns a flat list of fields and values into an object. */
function pairs(flat: readonly string[]): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (let i = 0; i < flat.length; i += 2) found[flat[i] as string] = flat[i + 1] as string;
  return found;
}

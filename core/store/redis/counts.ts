import type { Accounting } from '../../voting/accounting.ts';
import { bucketOf } from '../../voting/partition.ts';
import type { Revote } from '../../voting/rules.ts';
import type { Slice } from '../../voting/slice.ts';
import type { Choice } from '../../voting/tally.ts';
import type { Ballot } from '../../voting/vote.ts';
import { START } from '../offset.ts';
import type { Commit, CountStore, Position } from '../store.ts';
import { asked, type Connection } from './connection.ts';
import type { Keys } from './keys.ts';

/**
 * Hashes that the ballots of a round and partition are spread over. Redis keeps a hash of up to 128 short fields in a
 * compact form, a quarter of the memory: so 32,000 devices per partition stay compact.
 */
const BUCKETS = 256;
/** Changes that a partition's feed keeps; a reader that is further behind loads the slices again. */
export const KEPT_CHANGES = 2048;
/** The field of a slice's hash that is not a choice's weight; weights are `=<choice>`. */
const META = 'meta';
/** Buckets that are read at the same time while scanning. */
const SCAN_TOGETHER = 16;

/**
 * KEYS 1 position · 2 producers · 3 change feed · 4 vote log · 5… hashes to change (slices, ballots)
 * ARGV 1 expected offset · 2 new offset · 3 refused (JSON) · 4 change (JSON, or empty for none) · 5 changes to keep ·
 *      6 channel · 7 partition · 8 how many entries are counted with this · then for each key from 2 on but the streams: how many fields to remove, the fields,
 *      how many strings to set, field, value, …
 * Reply: 1 done, 0 the partition does not stand at the expected offset, or what was counted is not in its log (after a
 * failover that lost it); then nothing is changed.
 */
const COMMIT = `
if (redis.call('HGET', KEYS[1], 'offset') or '0-0') ~= ARGV[1] then return 0 end
if #redis.call('XRANGE', KEYS[4], ARGV[2], ARGV[2]) == 0 then return 0 end
local at = 9
for i = 2, #KEYS do
  if i ~= 3 and i ~= 4 then
    for _, command in ipairs({'HDEL', 'HSET'}) do
      local last = at + tonumber(ARGV[at])
      -- Lua cannot pass more than some 8,000 arguments at once; an even number keeps fields with their values.
      for from = at + 1, last, 4000 do
        redis.call(command, KEYS[i], unpack(ARGV, from, math.min(from + 3999, last)))
      end
      at = last + 1
    end
  end
end
redis.call('HSET', KEYS[1], 'offset', ARGV[2], 'refused', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'entries', ARGV[8])
if ARGV[4] ~= '' then
  local before = redis.call('HGET', KEYS[1], 'changed') or '0-0'
  redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[5], ARGV[2], 'c', ARGV[4], 'before', before)
  redis.call('HSET', KEYS[1], 'changed', ARGV[2])
  redis.call('PUBLISH', ARGV[6], ARGV[7])
end
return 1`;

/**
 * KEYS hashes
 * ARGV for each key: how many fields, the fields
 * Reply: the values of all fields in that order, nil where there is none.
 */
const FIELDS = `
local found, at = {}, 1
for _, key in ipairs(KEYS) do
  local last = at + tonumber(ARGV[at])
  for from = at + 1, last, 4000 do
    local to = math.min(from + 3999, last)
    for i, value in ipairs(redis.call('HMGET', key, unpack(ARGV, from, to))) do found[#found + 1] = value end
  end
  at = last + 1
end
return found`;

/**
 * KEYS 1 position · 2 producers
 * Reply: both hashes, as one commit left them.
 */
const POSITION = `return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}`;

type StoredBallot = [choice: Choice, atMs: number, n?: number | null, connection?: number | null, votes?: number];
type StoredSlice = { revote: Revote; open: boolean; accounting: Accounting; atMs: number };

/** Changes of one hash. */
interface Edit {
  readonly remove: string[];
  readonly set: string[];
}

/** Ballots, tallies and offsets in Redis hashes; a commit is one script. */
export class RedisCounts implements CountStore {
  private readonly connection: Connection;
  private readonly keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.connection = connection;
    this.keys = keys;
  }

  async position(partition: number): Promise<Position> {
    const keys = [this.keys.position(partition), this.keys.producers(partition)];
    const found = (await asked(this.connection.eval(POSITION, keys.length, ...keys))) as [string[], string[]];
    const [{ offset, changed, entries, refused }, producers] = found.map(pairs) as [
      Record<string, string>,
      Record<string, string>,
    ];
    return {
      offset: offset ?? START,
      changed: changed ?? START,
      entries: Number(entries ?? 0),
      refused: JSON.parse(refused ?? '{}'),
      producers: inOrderHeard(producers),
    };
  }

  async slice(partition: number, poll: string, round: number): Promise<Slice | undefined> {
    const { [META]: meta, ...weights } = await asked(this.connection.hgetall(this.keys.slice(partition, poll, round)));
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
    const values = (await asked(this.connection.eval(FIELDS, names.length, ...names, ...fields))) as (string | null)[];
    const found: (Ballot | undefined)[] = new Array(devices.length);
    let at = 0;
    for (const places of buckets.values()) for (const place of places) found[place] = fromStored(values[at++]);
    return found;
  }

  async *scanBallots(partition: number, poll: string, round: number) {
    for (let first = 0; first < BUCKETS; first += SCAN_TOGETHER) {
      const names = Array.from({ length: SCAN_TOGETHER }, (_, i) =>
        this.keys.ballots(partition, poll, round, first + i),
      );
      for (const hash of await asked(Promise.all(names.map((name) => this.connection.hgetall(name))))) {
        for (const [device, stored] of Object.entries(hash)) yield [device, fromStored(stored) as Ballot] as const;
      }
    }
  }

  async commit(commit: Commit): Promise<boolean> {
    const { partition, expected, offset, entries, slices, refused } = commit;
    const edits = this.edits(commit);
    const producers = edits.get(this.keys.producers(partition)) ?? { remove: [], set: [] };
    edits.delete(this.keys.producers(partition));
    const names = [this.keys.position(partition), this.keys.producers(partition), this.keys.changes(partition)];
    names.push(this.keys.log(partition), ...edits.keys());
    const args: (string | number)[] = [expected, offset, JSON.stringify(refused)];
    args.push(
      slices.length > 0 ? JSON.stringify(slices) : '',
      KEPT_CHANGES,
      this.keys.bell('changes'),
      partition,
      entries,
    );
    for (const { remove, set } of [producers, ...edits.values()]) {
      args.push(remove.length);
      for (const field of remove) args.push(field);
      args.push(set.length);
      for (const text of set) args.push(text);
    }
    return (await asked(this.connection.eval(COMMIT, names.length, ...names, ...args))) === 1;
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
    for (const { poll, round, revote, open, accounting, atMs, weights } of slices) {
      const { remove, set } = edit(this.keys.slice(partition, poll, round));
      set.push(META, JSON.stringify({ revote, open, accounting, atMs } satisfies StoredSlice));
      for (const [choice, weight] of weights) {
        if (weight === 0) remove.push(`=${choice}`);
        else set.push(`=${choice}`, String(weight));
      }
    }
    for (const [poll, round, device, ballot] of ballots) {
      const { set } = edit(this.keys.ballots(partition, poll, round, bucketOf(device, BUCKETS)));
      set.push(device, JSON.stringify(toStored(ballot)));
    }
    return edits;
  }
}

/** Producers are stored as `<sequence> <offset of the commit that heard it> <place in that commit>`. */
function inOrderHeard(stored: Record<string, string>): Map<string, number> {
  const heard = Object.entries(stored).map(([producer, text]) => {
    const [sequence = 0, major = 0, minor = 0, place = 0] = text.split(/[ -]/).map(Number);
    return { producer, sequence, major, minor, place };
  });
  heard.sort((a, b) => a.major - b.major || a.minor - b.minor || a.place - b.place);
  return new Map(heard.map(({ producer, sequence }) => [producer, sequence]));
}

function toStored({ choice, atMs, n, connection, votes }: Ballot): StoredBallot {
  if (votes !== undefined) return [choice, atMs, n ?? null, connection ?? null, votes];
  if (connection !== undefined) return [choice, atMs, n ?? null, connection];
  return n === undefined ? [choice, atMs] : [choice, atMs, n];
}

function fromStored(stored: string | null | undefined): Ballot | undefined {
  if (stored === null || stored === undefined) return undefined;
  const [choice, atMs, n, connection, votes] = JSON.parse(stored) as StoredBallot;
  return { choice, atMs, n: n ?? undefined, connection: connection ?? undefined, votes };
}

/** Field, value, field, value … by field. */
function pairs(flat: readonly string[]): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (let i = 0; i < flat.length; i += 2) found[flat[i] as string] = flat[i + 1] as string;
  return found;
}

import type { Database, RootDatabase } from 'lmdb';
import type { RejectionCounts } from '../../voting/count/accounting.ts';
import { packBallot, type StoredBallot, unpackBallot } from '../../voting/count/ballot.ts';
import { type Slice, type StoredSlice, storedSlice } from '../../voting/count/slice.ts';
import { type Offset, START } from '../offset.ts';
import type { Commit, CountStore, Position } from '../store.ts';
import { awaitWrite } from './await-write.ts';
import type { EmbeddedChanges } from './changes.ts';
import type { Guard } from './files/guard.ts';
import { sequenceOf } from './sequence.ts';

/** `heard` orders producers: by the last commit with an entry of the producer, then by the position within that commit. */
type StoredProducer = { sequence: number; heard: [commit: number, place: number] };
type StoredPosition = { offset: Offset; refused: RejectionCounts };

/** Keys are `<partition>/<poll>/<round>/…`, because plain text can be sorted and scanned by prefix. */
const sliceKey = (partition: number, poll: string, round: number) => `${partition}/${poll}/${round}`;
/** The range of all keys that begin with `prefix/`: "0" is the character after "/". */
const below = (prefix: string) => ({ start: `${prefix}/`, end: `${prefix}0` });

/** Ballots, tallies and offsets in LMDB; a commit is one write transaction. */
export class EmbeddedCounts implements CountStore {
  private readonly root: RootDatabase;
  private readonly changes: EmbeddedChanges;
  private readonly guard: Guard;
  private readonly positions: Database<StoredPosition, number>;
  private readonly producers: Database<StoredProducer, string>;
  private readonly slices: Database<StoredSlice, string>;
  private readonly weights: Database<number, string>;
  private readonly ballotTable: Database<StoredBallot, string>;

  /** @param root the state file */
  constructor(root: RootDatabase, changes: EmbeddedChanges, guard: Guard) {
    this.guard = guard;
    this.root = root;
    this.changes = changes;
    this.positions = root.openDB({ name: 'positions', encoding: 'json' });
    this.producers = root.openDB({ name: 'producers', encoding: 'json' });
    this.slices = root.openDB({ name: 'slices', encoding: 'json' });
    this.weights = root.openDB({ name: 'weights', encoding: 'json' });
    this.ballotTable = root.openDB({ name: 'ballots', encoding: 'json' });
  }

  async position(partition: number): Promise<Position> {
    const { offset, refused } = this.stored(partition);
    const heard = [...this.producers.getRange(below(String(partition)))].sort(
      ({ value: a }, { value: b }) => a.heard[0] - b.heard[0] || a.heard[1] - b.heard[1],
    );
    const producers = new Map(heard.map(({ key, value }) => [key.slice(key.indexOf('/') + 1), value.sequence]));
    // Sequences begin at 1, so the offset is also the number of entries.
    return { offset, changed: offset, entries: sequenceOf(offset), refused, producers };
  }

  async slice(partition: number, poll: string, round: number): Promise<Slice | undefined> {
    const key = sliceKey(partition, poll, round);
    const stored = this.slices.get(key);
    if (!stored) return undefined;
    const weights = this.weights.getRange(below(key));
    const tally = new Map([...weights].map(({ key: k, value }) => [k.slice(key.length + 1), value]));
    return { poll, round, ...stored, tally };
  }

  async ballots(partition: number, poll: string, round: number, devices: readonly string[]) {
    const key = sliceKey(partition, poll, round);
    return devices.map((device) => {
      const stored = this.ballotTable.get(`${key}/${device}`);
      return stored && unpackBallot(stored);
    });
  }

  async *scanBallots(partition: number, poll: string, round: number) {
    const key = sliceKey(partition, poll, round);
    for (const { key: k, value } of this.ballotTable.getRange(below(key))) {
      yield [k.slice(key.length + 1), unpackBallot(value)] as const;
    }
  }

  async commit(commit: Commit): Promise<boolean> {
    this.guard.demand();
    // A child transaction, because a plain one would keep what was written before an error: half a commit.
    const write = this.root.childTransaction(() => {
      if (this.stored(commit.partition).offset !== commit.expected) return false;
      this.write(commit);
      return true;
    });
    const done = await awaitWrite(write);
    if (done && commit.slices.length > 0) this.changes.announce(commit.partition, commit.offset);
    return done;
  }

  private write({ partition, offset, slices, ballots, producers, refused }: Commit): void {
    this.positions.putSync(partition, { offset, refused });
    for (const [place, [producer, sequence]] of producers.entries()) {
      const key = `${partition}/${producer}`;
      if (sequence === null) this.producers.removeSync(key);
      else this.producers.putSync(key, { sequence, heard: [sequenceOf(offset), place] });
    }
    for (const slice of slices) {
      const key = sliceKey(partition, slice.poll, slice.round);
      this.slices.putSync(key, storedSlice(slice));
      for (const [choice, weight] of slice.weights) {
        if (weight === 0) this.weights.removeSync(`${key}/${choice}`);
        else this.weights.putSync(`${key}/${choice}`, weight);
      }
    }
    for (const [poll, round, device, ballot] of ballots) {
      const key = `${sliceKey(partition, poll, round)}/${device}`;
      this.ballotTable.putSync(key, packBallot(ballot));
    }
    if (slices.length > 0) this.changes.add({ partition, offset, slices });
  }

  private stored(partition: number): StoredPosition {
    return this.positions.get(partition) ?? { offset: START, refused: {} };
  }
}

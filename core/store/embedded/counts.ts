import type { Database, RootDatabase } from 'lmdb';
import type { RejectionCounts } from '../../voting/count/accounting.ts';
import { type StoredBallot, unpackBallot } from '../../voting/count/ballot.ts';
import { pageOfVoter } from '../../voting/count/ballots/pages.ts';
import { type Slice, type StoredSlice, storedSlice } from '../../voting/count/slice.ts';
import { type Offset, SEALED, START } from '../offset.ts';
import type { Commit, CountStore, FoundBallots, Position } from '../store.ts';
import { awaitWrite } from './await-write.ts';
import type { EmbeddedChanges } from './changes.ts';
import type { Guard } from './files/guard.ts';
import { sequenceOf } from './sequence.ts';

/** `heard` orders producers: by the last commit with an entry of the producer, then by the position within that commit. */
type StoredProducer = { sequence: number; heard: [commit: number, place: number] };
type StoredPosition = { offset: Offset; refused: RejectionCounts };
type StoredCheckpoint = { offset: Offset; producers: [producer: string, sequence: number][] };

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
  private readonly checkpoints: Database<StoredCheckpoint, number>;
  /** Where earlier versions kept positions; sealed once a partition is in `positions`. */
  private readonly earlier: Database<StoredPosition, number>;
  private readonly producers: Database<StoredProducer, string>;
  private readonly slices: Database<StoredSlice, string>;
  private readonly weights: Database<number, string>;
  /** The pages of ballots, by slice and page. */
  private readonly pages: Database<Buffer, string>;
  /** Over how many pages the ballots of a slice are spread. */
  private readonly spreads: Database<number, string>;
  /** Ballots of earlier versions, by slice and voter, until the round is stored again. */
  private readonly rows: Database<StoredBallot, string>;

  /** @param root the state file */
  constructor(root: RootDatabase, changes: EmbeddedChanges, guard: Guard) {
    this.guard = guard;
    this.root = root;
    this.changes = changes;
    this.positions = root.openDB({ name: 'counted', encoding: 'json' });
    this.checkpoints = root.openDB({ name: 'checkpoints', encoding: 'json' });
    this.earlier = root.openDB({ name: 'positions', encoding: 'json' });
    this.producers = root.openDB({ name: 'producers', encoding: 'json' });
    this.slices = root.openDB({ name: 'slices', encoding: 'json' });
    this.weights = root.openDB({ name: 'weights', encoding: 'json' });
    this.pages = root.openDB({ name: 'pages', encoding: 'binary' });
    this.spreads = root.openDB({ name: 'spreads', encoding: 'json' });
    this.rows = root.openDB({ name: 'ballots', encoding: 'json' });
  }

  async position(partition: number): Promise<Position> {
    const { offset, refused } = this.counted(partition);
    const heard = [...this.producers.getRange(below(String(partition)))].sort(
      ({ value: a }, { value: b }) => a.heard[0] - b.heard[0] || a.heard[1] - b.heard[1],
    );
    const producers = new Map(heard.map(({ key, value }) => [key.slice(key.indexOf('/') + 1), value.sequence]));
    // Sequences begin at 1, so the offset is also the number of entries.
    const stored = this.checkpoints.get(partition);
    const checkpoint = stored && { offset: stored.offset, producers: new Map(stored.producers) };
    const behind = stored && sequenceOf(offset) - sequenceOf(stored.offset);
    return { offset, changed: offset, entries: sequenceOf(offset), refused, producers, checkpoint, behind };
  }

  async slice(partition: number, poll: string, round: number): Promise<Slice | undefined> {
    const key = sliceKey(partition, poll, round);
    const stored = this.slices.get(key);
    if (!stored) return undefined;
    const weights = this.weights.getRange(below(key));
    const tally = new Map([...weights].map(({ key: k, value }) => [k.slice(key.length + 1), value]));
    return { poll, round, ...stored, tally };
  }

  async sliceState(partition: number, poll: string, round: number): Promise<StoredSlice | undefined> {
    return this.slices.get(sliceKey(partition, poll, round));
  }

  // Without a pause, so that everything is read in the same transaction.
  async stored(partition: number, poll: string, round: number, voters?: readonly string[]): Promise<FoundBallots> {
    const key = sliceKey(partition, poll, round);
    const checkpoint = this.checkpoints.get(partition)?.offset ?? this.counted(partition).offset;
    const count = this.spreads.get(key) ?? 0;
    const pages = new Map<number, Buffer>();
    if (count === 0) return { checkpoint, count, pages, rows: this.rowsOf(key, voters) };
    if (voters) {
      for (const page of new Set(voters.map((voter) => pageOfVoter(voter, count)))) {
        const bytes = this.pages.get(`${key}/${page}`);
        if (bytes) pages.set(page, bytes);
      }
    } else {
      for (const { key: k, value } of this.pages.getRange(below(key)))
        pages.set(Number(k.slice(key.length + 1)), value);
    }
    return { checkpoint, count, pages, rows: [] };
  }

  /** The ballots of a slice as earlier versions stored them. */
  private rowsOf(slice: string, voters?: readonly string[]): FoundBallots['rows'] {
    const found = voters
      ? voters.map((voter) => ({ voter, value: this.rows.get(`${slice}/${voter}`) }))
      : [...this.rows.getRange(below(slice))].map(({ key, value }) => ({ voter: key.slice(slice.length + 1), value }));
    return found.flatMap(({ voter, value }) => (value ? [[voter, unpackBallot(value)] as const] : []));
  }

  async commit(commit: Commit): Promise<boolean> {
    this.guard.demand();
    // A child transaction, because a plain one would keep what was written before an error: half a commit.
    const write = this.root.childTransaction(() => {
      if (this.counted(commit.partition).offset !== commit.expected) return false;
      if (this.checkpoints.get(commit.partition)?.offset !== commit.expectedCheckpoint) return false;
      this.write(commit);
      return true;
    });
    const done = await awaitWrite(write);
    if (done && commit.slices.length > 0) this.changes.announce(commit.partition, commit.offset);
    return done;
  }

  private write({ partition, offset, slices, producers, refused, checkpoint }: Commit): void {
    this.positions.putSync(partition, { offset, refused });
    if (this.earlier.get(partition)?.offset !== SEALED)
      this.earlier.putSync(partition, { offset: SEALED, refused: {} });
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
    if (checkpoint) this.writeCheckpoint(partition, offset, checkpoint);
    if (slices.length > 0) this.changes.add({ partition, offset, slices });
  }

  private writeCheckpoint(partition: number, offset: Offset, { producers, rounds }: NonNullable<Commit['checkpoint']>) {
    this.checkpoints.putSync(partition, { offset, producers: [...producers] });
    for (const { poll, round, count, pages, replacesRows } of rounds) {
      const key = sliceKey(partition, poll, round);
      this.spreads.putSync(key, count);
      for (const [page, bytes] of pages) this.pages.putSync(`${key}/${page}`, Buffer.from(bytes));
      if (replacesRows) for (const row of [...this.rows.getKeys(below(key))]) this.rows.removeSync(row);
    }
  }

  private counted(partition: number): StoredPosition {
    return this.positions.get(partition) ?? this.earlier.get(partition) ?? { offset: START, refused: {} };
  }
}

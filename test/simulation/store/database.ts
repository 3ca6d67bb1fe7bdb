import { compareOffsets, type Offset, START } from '../../../core/store/offset.ts';
import {
  type Collection,
  type Commit,
  type CountChange,
  type FoundBallots,
  isWatched,
  KEPT_CHANGES,
  type Position,
  type Versioned,
} from '../../../core/store/store.ts';
import { pageOfVoter } from '../../../core/voting/count/ballots/pages.ts';
import { decodeEntry } from '../../../core/voting/count/entries/codec.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import { roundKey, type Slice, type StoredSlice, storedSlice } from '../../../core/voting/count/slice.ts';
import { Journal } from './journal.ts';

/** How many notices of writes are kept. */
const KEPT_WRITES = 4_096;

export interface StoredEntry {
  readonly offset: Offset;
  readonly atMs: number;
  readonly bytes: Buffer;
}
type StoredChange = CountChange & { readonly before: Offset };
interface StoredPosition {
  readonly offset: Offset;
  readonly changed: Offset;
  readonly entries: number;
  readonly refused: Position['refused'];
  readonly checkpoint?: { readonly offset: Offset; readonly producers: [string, number][]; readonly entries: number };
}
export interface Write {
  readonly id: number;
  readonly collection: Collection;
  readonly document: string;
}

/** Somebody who checks what is stored. */
export interface Watcher {
  /** An entry was appended as a change at a position of the journal. Returns what to do if the entry is lost again. */
  appended(partition: number, entry: Entry, position: number): () => void;
  committed(commit: Commit): void;
}

/** One round in one partition, as stored: values are JSON, and pages hexadecimal. */
interface StoredRound {
  meta: string | undefined;
  readonly weights: Map<string, number>;
  count: number;
  readonly pages: Map<number, string>;
}

/**
 * What a simulated store has stored. Every value is text, as in a real one, so that nothing is shared by accident. Everything
 * happens at once and in order; `Access` decides when, and what is lost.
 */
export class Database {
  readonly journal = new Journal();
  readonly partitions: number;
  /** Learns what happens to the votes. */
  watcher: Watcher = { appended: () => () => {}, committed: () => {} };
  readonly documents = new Map<Collection, Map<string, string>>();
  /** The highest version that a removed document had: a new one begins above it. */
  private readonly retired = new Map<Collection, number>();
  /** The newest writes of watched collections, oldest first. */
  readonly writes: Write[] = [];
  /** Whatever else is kept, by table. */
  private readonly tables = new Map<string, Map<string, string>>();
  private readonly entries: StoredEntry[][];
  private readonly appendedTo = new Map<number, number>();
  private readonly trimmedTo = new Map<number, Offset>();
  private readonly positions = new Map<number, string>();
  private readonly producers: Map<string, [sequence: number, heard: number]>[];
  private readonly rounds: Map<string, StoredRound>[];
  private readonly changes: StoredChange[][];
  /** Counts up for ever, so that nothing that was lost is mistaken for something newer. */
  private counter = 0;

  constructor(partitions: number) {
    this.partitions = partitions;
    const each = <T>(make: () => T): T[] => Array.from({ length: partitions }, make);
    this.entries = each(() => []);
    this.producers = each(() => new Map());
    this.rounds = each(() => new Map());
    this.changes = each(() => []);
  }

  /** @param offset made from the last one */
  append(partition: number, bytes: Buffer, offset: (last: Offset) => Offset): Offset {
    const entries = this.entries[partition] as StoredEntry[];
    const next = offset(entries.at(-1)?.offset ?? this.trimmedTo.get(partition) ?? START);
    const entry = decodeEntry(bytes);
    this.journal.push(entries, { offset: next, atMs: entry.atMs, bytes });
    this.journal.change(() => {
      const undo = this.watcher.appended(partition, entry, this.journal.position);
      return () => undo();
    });
    this.journal.set(this.appendedTo, partition, this.appended(partition) + 1);
    return next;
  }

  appended(partition: number): number {
    return this.appendedTo.get(partition) ?? 0;
  }

  entriesAfter(partition: number, cursor: Offset, limit: number): readonly StoredEntry[] {
    const entries = this.entries[partition] as StoredEntry[];
    return after(entries, cursor, limit);
  }

  trim(partition: number, beforeMs: number, counted: Offset): number {
    const entries = this.entries[partition] as StoredEntry[];
    const kept = entries.findIndex(({ offset, atMs }) => atMs >= beforeMs || compareOffsets(offset, counted) >= 0);
    const removed = kept === -1 ? entries.length : kept;
    if (removed === 0) return 0;
    this.journal.change(() => {
      const gone = entries.splice(0, removed);
      this.trimmedTo.set(partition, (gone.at(-1) as StoredEntry).offset);
      return () => entries.unshift(...gone);
    });
    return removed;
  }

  position(partition: number): Position {
    const heard = [...(this.producers[partition] as Map<string, [number, number]>)].sort(([, a], [, b]) => a[1] - b[1]);
    const { checkpoint, ...rest } = this.storedPosition(partition);
    const stored = checkpoint && { offset: checkpoint.offset, producers: new Map(checkpoint.producers) };
    const behind = checkpoint && rest.entries - checkpoint.entries;
    return { ...rest, checkpoint: stored, behind, producers: new Map(heard.map(([id, [sequence]]) => [id, sequence])) };
  }

  slice(partition: number, poll: string, round: number): Slice | undefined {
    const stored = this.rounds[partition]?.get(roundKey(poll, round));
    if (stored?.meta === undefined) return undefined;
    return { poll, round, ...(JSON.parse(stored.meta) as StoredSlice), tally: new Map(stored.weights) };
  }

  sliceState(partition: number, poll: string, round: number): StoredSlice | undefined {
    const meta = this.rounds[partition]?.get(roundKey(poll, round))?.meta;
    return meta === undefined ? undefined : JSON.parse(meta);
  }

  stored(partition: number, poll: string, round: number, voters?: readonly string[]): FoundBallots {
    const { offset, checkpoint } = this.storedPosition(partition);
    const { count = 0, pages = new Map() } = this.rounds[partition]?.get(roundKey(poll, round)) ?? {};
    const wanted = voters && new Set(voters.map((voter) => pageOfVoter(voter, count)));
    const found = [...pages].filter(([page]) => wanted?.has(page) ?? true);
    return {
      checkpoint: checkpoint?.offset ?? offset,
      count,
      pages: new Map(found.map(([page, text]) => [page, Buffer.from(text, 'hex')])),
      rows: [],
    };
  }

  commit(commit: Commit): boolean {
    const { partition, expected, expectedCheckpoint, offset, entries, slices, producers, refused, checkpoint } = commit;
    const before = this.storedPosition(partition);
    const hasLast =
      entries === 0 ||
      this.entries[partition]?.findLast((entry) => compareOffsets(entry.offset, offset) <= 0)?.offset === offset;
    if (before.offset !== expected || before.checkpoint?.offset !== expectedCheckpoint || !hasLast) return false;
    // Encoded before anything is changed, because what cannot be encoded must change nothing.
    const change = JSON.stringify(slices);
    const changed = slices.length > 0 ? offset : before.changed;
    const counted = before.entries + entries;
    const kept = checkpoint ? { offset, producers: [...checkpoint.producers], entries: counted } : before.checkpoint;
    const position = { offset, changed, entries: counted, refused, checkpoint: kept };
    this.journal.set(this.positions, partition, JSON.stringify(position));
    for (const [producer, sequence] of producers) {
      const known = this.producers[partition] as Map<string, [number, number]>;
      if (sequence === null) this.journal.delete(known, producer);
      else this.journal.set(known, producer, [sequence, ++this.counter]);
    }
    for (const slice of slices) {
      const { poll, round, weights } = slice;
      const stored = this.round(partition, roundKey(poll, round));
      const meta = JSON.stringify(storedSlice(slice));
      const { meta: old } = stored;
      this.journal.change(() => {
        stored.meta = meta;
        return () => {
          stored.meta = old;
        };
      });
      for (const [choice, weight] of weights) {
        if (weight === 0) this.journal.delete(stored.weights, choice);
        else this.journal.set(stored.weights, choice, weight);
      }
    }
    for (const { poll, round, count, pages } of checkpoint?.rounds ?? []) {
      const stored = this.round(partition, roundKey(poll, round));
      const { count: old } = stored;
      this.journal.change(() => {
        stored.count = count;
        return () => {
          stored.count = old;
        };
      });
      for (const [page, bytes] of pages) this.journal.set(stored.pages, page, Buffer.from(bytes).toString('hex'));
    }
    this.watcher.committed(commit);
    if (slices.length > 0)
      this.feed(partition, { partition, offset, slices: JSON.parse(change), before: before.changed });
    return true;
  }

  changesAfter(partition: number, cursor: Offset, limit: number): readonly StoredChange[] {
    const changes = this.changes[partition] as StoredChange[];
    return after(changes, cursor, limit);
  }

  get<T>(collection: Collection, id: string): Versioned<T> | undefined {
    const text = this.documents.get(collection)?.get(id);
    return text === undefined ? undefined : JSON.parse(text);
  }

  list<T>(collection: Collection): (Versioned<T> & { readonly id: string })[] {
    return [...(this.documents.get(collection)?.keys() ?? [])].map((id) => {
      return { ...(this.get<T>(collection, id) as Versioned<T>), id };
    });
  }

  /** @param value JSON; undefined removes the document */
  put(collection: Collection, id: string, value: string | undefined, expected?: number): number | undefined {
    const found = this.get(collection, id);
    const version = found?.version ?? 0;
    if (expected !== undefined && expected !== version && (found || value !== undefined)) return undefined;
    const retired = this.retired.get(collection) ?? 0;
    const next = (found ? version : retired) + 1;
    let documents = this.documents.get(collection);
    if (!documents) this.documents.set(collection, (documents = new Map()));
    if (value !== undefined) this.journal.set(documents, id, `{"value":${value},"version":${next}}`);
    else {
      this.journal.delete(documents, id);
      if (version > retired) this.journal.set(this.retired, collection, version);
    }
    if (isWatched(collection)) {
      this.journal.push(this.writes, { id: ++this.counter, collection, document: id });
      if (this.writes.length > 2 * KEPT_WRITES) this.writes.splice(0, KEPT_WRITES);
    }
    return next;
  }

  /** A table for whatever else is kept. */
  table(name: string): Map<string, string> {
    let found = this.tables.get(name);
    if (!found) this.tables.set(name, (found = new Map()));
    return found;
  }

  private feed(partition: number, change: StoredChange): void {
    const changes = this.changes[partition] as StoredChange[];
    this.journal.push(changes, change);
    // With some slack, so that what was pushed can still be undone.
    if (changes.length > 1.5 * KEPT_CHANGES) changes.splice(0, changes.length - KEPT_CHANGES);
  }

  private round(partition: number, key: string): StoredRound {
    const rounds = this.rounds[partition] as Map<string, StoredRound>;
    let found = rounds.get(key);
    if (!found) rounds.set(key, (found = { meta: undefined, weights: new Map(), count: 0, pages: new Map() }));
    return found;
  }

  private storedPosition(partition: number): StoredPosition {
    const text = this.positions.get(partition);
    return text === undefined ? { offset: START, changed: START, entries: 0, refused: {} } : JSON.parse(text);
  }
}

/** The items after a cursor. */
function after<T extends { readonly offset: Offset }>(
  items: readonly T[],
  cursor: Offset,
  limit: number,
): readonly T[] {
  const last = items.at(-1);
  if (!last || compareOffsets(last.offset, cursor) <= 0) return [];
  let [from, to] = [0, items.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareOffsets((items[middle] as T).offset, cursor) > 0) to = middle;
    else from = middle + 1;
  }
  return items.slice(from, from + limit);
}

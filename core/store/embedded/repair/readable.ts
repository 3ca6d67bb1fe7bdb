import { bufferToKeyValue } from 'lmdb';
import { isBinary } from '../../../voting/count/entries/binary.ts';
import { readEntry } from '../../../voting/count/entries/codec.ts';
import { type Offset, SEALED } from '../../offset.ts';
import type { Collection, Versioned } from '../../store.ts';
import { Damage, entriesOf, flagsOf, type LeafNode, PAGE, PageFile, transactionOf } from '../pages/page-file.ts';
import { latestMeta, type Report, readableMetas, Walk } from '../pages/walk.ts';
import { sequenceOf } from '../sequence.ts';

/** An entry as it is stored in a vote log. */
export interface StoredEntry {
  readonly partition: number;
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** A document of the registry, with its key. */
export interface StoredDocument extends Versioned<unknown> {
  readonly collection: Collection;
  readonly id: string;
}

/** As a record, so that the compiler demands every collection. */
const COLLECTIONS: Readonly<Record<Collection, true>> = {
  ...{ polls: true, rooms: true, devices: true, claims: true, releases: true },
  ...{ statuses: true, guests: true, guestRooms: true, revokedGuests: true, secrets: true, dead: true },
  ...{ operators: true, trail: true },
};

/** What can be read of the registry of a damaged state. */
export interface ReadableDocuments {
  readonly documents: readonly StoredDocument[];
  /** True if documents that were changed or removed since may be among them. */
  readonly areOld: boolean;
  /** True if there were documents that cannot be read. */
  readonly areIncomplete: boolean;
}

/** The entries of a sound vote log, by partition and in order. */
export function* soundEntries(path: string): Generator<StoredEntry> {
  const file = PageFile.open(path);
  try {
    for (const node of entriesOfTable(file, 'log')) {
      const entry = storedEntry(file, node);
      if (entry) yield entry;
    }
  } finally {
    file.close();
  }
}

/**
 * Every entry of a damaged vote log that can be read: those that its tree still leads to, and then those in pages that it no
 * longer leads to. An entry is never changed once it is written, so the pages agree; entries that were removed because of their
 * age may be found again.
 */
export function readableEntries(path: string): StoredEntry[] {
  const found = new Map<string, StoredEntry>();
  const file = PageFile.open(path);
  const add = (node: LeafNode) => {
    const entry = storedEntry(file, node);
    if (!entry) return;
    const key = `${entry.partition}/${entry.sequence}`;
    if (!found.has(key) && isEntry(entry.bytes)) found.set(key, entry);
  };
  try {
    for (const node of entriesOfTable(file, 'log')) add(node);
    for (const node of leafEntries(file)) add(node);
  } finally {
    file.close();
  }
  return [...found.values()].sort((a, b) => a.partition - b.partition || a.sequence - b.sequence);
}

/**
 * The documents of a damaged state that can be read. If its tree does not lead to any, those of all pages are taken, each in its
 * highest version. Operators are not among these, because one that was revoked could sign in again.
 */
export function readableDocuments(path: string): ReadableDocuments {
  const file = PageFile.open(path);
  try {
    // The other state may have been the latest one.
    const isEarlier = readableMetas(file).length < 2;
    let areIncomplete = isEarlier;
    const inTree = [...entriesOfTable(file, 'registry', () => (areIncomplete = true))].flatMap((node) => {
      const document = storedDocument(file, node);
      if (!document) areIncomplete = true;
      return document ?? [];
    });
    if (inTree.length > 0) return { documents: inTree, areOld: isEarlier, areIncomplete };
    const newest = new Map<string, StoredDocument>();
    for (const node of leafEntries(file)) {
      const document = storedDocument(file, node);
      const key = `${document?.collection}/${document?.id}`;
      if (document && document.version > (newest.get(key)?.version ?? 0)) newest.set(key, document);
    }
    const documents = [...newest.values()].filter(({ collection }) => collection !== 'operators');
    // Without the tree, nobody knows how many documents there were.
    return { documents, areOld: newest.size > 0, areIncomplete };
  } finally {
    file.close();
  }
}

/** A fact of the deployment, such as its id; undefined if it cannot be read. */
export function readableFact(path: string, name: 'id' | 'partitions'): string | number | undefined {
  const file = PageFile.open(path);
  try {
    for (const node of entriesOfTable(file, 'deployment')) {
      if (keyOf(node) === name) return parsed(file, node) as string | number | undefined;
    }
    return undefined;
  } finally {
    file.close();
  }
}

/** The sequence up to which each partition was counted, as far as a state can be read. */
export function readablePositions(path: string): Map<number, number> {
  const file = PageFile.open(path);
  try {
    // The first table is that of earlier versions. It is sealed where the second one has the position.
    const nodes = [...entriesOfTable(file, 'positions'), ...entriesOfTable(file, 'counted')];
    const positions = nodes.map((node) => {
      const { offset } = (parsed(file, node) ?? {}) as { offset?: Offset };
      return [Number(keyOf(node)), offset === undefined || offset === SEALED ? 0 : sequenceOf(offset)] as const;
    });
    return new Map(positions);
  } finally {
    file.close();
  }
}

/** The entries that the tree of a table leads to, without the parts of it that are damaged; these are reported. */
function* entriesOfTable(file: PageFile, name: string, report: Report = () => {}): Generator<LeafNode> {
  const meta = latestMeta(file);
  if (!meta) return report(new Damage('it has no readable root'));
  const walk = new Walk(file, meta, report);
  for (const { key, tree } of [...walk.entries(meta.main)]) {
    if (tree && key.toString('latin1').replace(/\0$/, '') === name) yield* walk.entries(tree);
  }
}

/** The entries of all leaf pages, whether anything leads to them or not; those written last come first. */
function* leafEntries(file: PageFile): Generator<LeafNode> {
  const leaves: { readonly number: number; readonly transaction: number }[] = [];
  for (let number = 2; number < file.pages; number++) {
    const page = ifSound(() => file.page(number));
    if (page && flagsOf(page) === PAGE.leaf) leaves.push({ number, transaction: transactionOf(page) });
  }
  for (const { number } of leaves.sort((a, b) => b.transaction - a.transaction)) {
    const nodes = entriesOf(file.page(number), number);
    for (;;) {
      const next = ifSound(() => nodes.next());
      if (!next || next.done) break;
      yield next.value;
    }
  }
}

function storedEntry(file: PageFile, node: LeafNode): StoredEntry | undefined {
  const key = keyOf(node);
  if (!Array.isArray(key) || key.length !== 2) return undefined;
  const [partition, sequence] = key;
  if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(sequence) || node.tree) return undefined;
  const bytes = ifSound(() => file.value(node));
  return bytes && { partition: partition as number, sequence: sequence as number, bytes };
}

function storedDocument(file: PageFile, node: LeafNode): StoredDocument | undefined {
  const key = keyOf(node);
  if (!Array.isArray(key) || key.length !== 2 || !Object.hasOwn(COLLECTIONS, String(key[0]))) return undefined;
  const stored = parsed(file, node) as Versioned<unknown> | undefined;
  if (typeof stored?.version !== 'number') return undefined;
  return { ...stored, collection: key[0] as Collection, id: String(key[1]) };
}

function isEntry(bytes: Buffer): boolean {
  if (isBinary(bytes)) return readEntry(bytes).type !== 'unreadable';
  const entry = ifReadable(() => JSON.parse(bytes.toString())) as { type?: unknown } | null | undefined;
  return ['votes', 'open', 'close'].includes(String(entry?.type));
}

function parsed(file: PageFile, node: LeafNode): unknown {
  const text = ifSound(() => file.value(node).toString());
  return text === undefined ? undefined : ifReadable(() => JSON.parse(text));
}

function keyOf({ key }: LeafNode): unknown {
  return ifReadable(() => bufferToKeyValue(key));
}

function ifSound<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return undefined;
  }
}

/** What `read` returns; undefined if the bytes are not what it expects, whatever it throws then. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

import {
  childrenOf,
  Damage,
  entriesOf,
  flagsOf,
  type LeafNode,
  type Meta,
  PAGE,
  type PageFile,
  type Tree,
} from './page-file.ts';

/** LMDB’s own limit. */
const MAX_DEPTH = 32;

/** Called for each place that cannot be read. The walk goes on with what comes after it. */
export type Report = (damage: Damage) => void;

/** Walks the trees of one state of a file, in the order of their keys. */
export class Walk {
  private readonly file: PageFile;
  private readonly lastPage: number;
  private readonly report: Report;
  /** Pages that have been visited. In a sound file, each belongs to one tree. */
  private readonly seen = new Set<number>();

  constructor(file: PageFile, { lastPage }: Meta, report: Report) {
    this.file = file;
    this.lastPage = lastPage;
    this.report = report;
  }

  /**
   * The entries of a tree. Must be read to the end before another tree is walked, because its pages are counted.
   *
   * @param isOrdered whether keys are compared as bytes
   */
  *entries({ root, depth, entries, pages }: Tree, isOrdered = true): Generator<LeafNode> {
    if (depth === 0 && entries === 0) return;
    if (depth === 0 || depth > MAX_DEPTH) return this.report(new Damage(`a tree of depth ${depth} is not possible`));
    const pagesBefore = this.seen.size;
    let found = 0;
    let before: Buffer | undefined;
    for (const entry of this.below(root, depth)) {
      if (isOrdered && before && Buffer.compare(before, entry.key) >= 0) {
        this.report(new Damage('its entries are not in order'));
      }
      before = entry.key;
      found++;
      yield entry;
    }
    const isWhole = found === entries && this.seen.size - pagesBefore === pages;
    if (!isWhole) this.report(new Damage(`a table should have ${entries} entries in ${pages} pages, and has ${found}`));
  }

  /** Checks a list of free pages: none of them may be in use, or be listed twice. @throws Damage */
  free(list: Buffer): void {
    const ids = Array.from({ length: list.length / 8 }, (_, i) => Number(list.readBigInt64LE(i * 8)));
    const [length = 0] = ids;
    if (!(length >= 0 && length < ids.length)) throw new Damage('the list of its free pages is overwritten');
    const entries = ids.slice(1, length + 1);
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as number;
      // A negative number is the length of a run, and the page after it its first one; 0 is an unused place.
      const run = entry < 0 ? -entry : entry === 0 ? 0 : 1;
      const first = entry < 0 ? (entries[++i] ?? 0) : entry;
      this.take(first, run);
    }
  }

  private *below(number: number, levels: number): Generator<LeafNode> {
    try {
      this.take(number, 1);
      const page = this.file.page(number);
      if (flagsOf(page) !== (levels === 1 ? PAGE.leaf : PAGE.branch)) throw new Damage(`page ${number} is overwritten`);
      if (levels > 1) {
        for (const child of childrenOf(page, number)) yield* this.below(child.page, levels - 1);
        return;
      }
      for (const entry of entriesOf(page, number)) {
        if (entry.overflow) this.take(entry.overflow.page, entry.overflow.pages);
        yield entry;
      }
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.report(error);
    }
  }

  private take(first: number, count: number): void {
    if (first + count - 1 > this.lastPage) throw new Damage(`page ${first + count - 1} is behind the last one`);
    for (let page = first; page < first + count; page++) {
      if (page < 2 || this.seen.has(page)) throw new Damage(`page ${page} is used twice`);
      this.seen.add(page);
    }
  }
}

/** The states that can be read, of the two that a file has; the latest first. */
export function readableMetas(file: PageFile): Meta[] {
  const metas = ([0, 1] as const).flatMap((number) => {
    try {
      return [file.meta(number)];
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      return [];
    }
  });
  return metas.sort((a, b) => b.transaction - a.transaction);
}

/** The later of two states, as far as they can be read. */
export function latestMeta(file: PageFile): Meta | undefined {
  return readableMetas(file)[0];
}

import { statSync } from 'node:fs';
import { Damage, type Meta, PageFile } from './page-file.ts';
import { Walk } from './walk.ts';

/** How much of a file is examined: its two meta pages and its length, or also every page that they lead to. */
export type Depth = 'quick' | 'full';

/**
 * Why a file cannot be opened safely, as a clause about “it”; undefined if it is sound, empty or missing.
 *
 * @param isReadable whether a value can be read; values are not examined by default
 */
export function examine(
  path: string,
  depth: Depth,
  isReadable?: (value: Buffer, table: string) => boolean,
): string | undefined {
  return damageOf(path, (file) => {
    const [first, second] = file.metas();
    if (Math.abs(first.transaction - second.transaction) > 1)
      throw new Damage('its two meta pages do not fit together');
    const meta = first.transaction > second.transaction ? first : second;
    // A sound file may end early, because pages at its end that are free need not have been written.
    const isWhole = file.bytes >= (meta.lastPage + 1) * meta.pageBytes;
    if (depth === 'full' || !isWhole) walkAll(file, meta, isReadable);
  });
}

/**
 * Like a full `examine`, for a file whose transactions reach the disk later than they are committed, so that its two meta pages
 * need not follow each other.
 */
export function examineLazy(path: string): string | undefined {
  return damageOf(path, (file) => {
    const [first, second] = file.metas();
    walkAll(file, first.transaction > second.transaction ? first : second);
  });
}

function damageOf(path: string, look: (file: PageFile) => void): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats || stats.size === 0) return undefined;
  if (!stats.isFile()) return 'it is not a file but a directory';
  const file = PageFile.open(path);
  try {
    return damageIn(() => look(file));
  } finally {
    file.close();
  }
}

function damageIn(look: () => void): string | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return error.message;
  }
}

function walkAll(file: PageFile, meta: Meta, isReadable?: (value: Buffer, table: string) => boolean): void {
  const walk = new Walk(file, meta, (damage) => {
    throw damage;
  });
  // The pages of a tree are counted, so the tables are walked after the tree that names them.
  for (const found of [...walk.entries(meta.main)]) {
    const { key, tree } = found;
    if (!tree) {
      file.value(found);
      continue;
    }
    const table = key.toString('latin1').replace(/\0$/, '');
    for (const entry of walk.entries(tree)) {
      if (entry.tree) throw new Damage(`table ${table} is overwritten`);
      const value = file.value(entry);
      if (isReadable && !isReadable(value, table)) throw new Damage(`an entry of table ${table} is overwritten`);
    }
  }
  const lists = [...walk.entries(meta.free, false)].map((entry) => file.value(entry));
  for (const list of lists) walk.free(list);
}

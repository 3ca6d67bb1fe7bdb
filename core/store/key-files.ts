import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Keys in files of their own, so that they can be destroyed: a file is overwritten before it is removed. */
export class KeyFiles {
  readonly folder: string;
  /** Files that could not be destroyed yet. */
  private readonly left = new Set<string>();
  private readonly report: (message: string) => void;

  /** @param folder created with the first key @param report called if a key could not be destroyed, which is tried again */
  constructor(folder: string, report: (message: string) => void) {
    this.folder = folder;
    this.report = report;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  names(): string[] {
    return existsSync(this.folder) ? readdirSync(this.folder) : [];
  }

  /** How long ago in ms a key was written. */
  ageMs(name: string): number {
    return Date.now() - (statSync(this.path(name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }

  /** The key; undefined if there is none of this name. */
  read(name: string): string | undefined {
    return this.has(name) ? readFileSync(this.path(name), 'utf8') : undefined;
  }

  /** Writes a key, which is on disk by then. @throws Error if a file of this name exists, or the folder cannot be written */
  write(name: string, key: string): void {
    const created = mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    if (created !== undefined) syncFolder(dirname(created));
    writeDurably(this.path(name), 'wx', key);
    syncFolder(this.folder);
  }

  /** Destroys a key, and those that could not be destroyed before. */
  destroy(name: string): void {
    this.left.add(name);
    this.destroyLeft();
  }

  /** Tries again to destroy what could not be destroyed. */
  destroyLeft(): void {
    for (const name of this.left) this.tryToDestroy(name);
  }

  private tryToDestroy(name: string): void {
    const path = this.path(name);
    try {
      if (existsSync(path)) {
        writeDurably(path, 'r+');
        rmSync(path);
        syncFolder(this.folder);
      }
      this.left.delete(name);
    } catch (error) {
      // Another process that shares the folder was faster.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.left.delete(name);
      else {
        this.report(
          `the key of a closed secret round could not be destroyed, which will be tried again: ${(error as Error).message}`,
        );
      }
    }
  }
}

/** @param text if absent, random bytes replace the content of the file */
function writeDurably(path: string, flag: 'wx' | 'r+', text?: string): void {
  const file = openSync(path, flag, 0o600);
  try {
    const bytes = text === undefined ? randomBytes(fstatSync(file).size) : Buffer.from(text);
    writeSync(file, bytes, 0, bytes.length, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  // Windows does this with the file, and does not open directories.
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

import { type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isSameFile } from './identity.ts';

/**
 * The files that are open, compared with those at their paths. If a file is deleted or replaced, lmdb goes on writing to the one
 * that it has open, which nobody will find again.
 */
export class KeptFiles {
  private readonly opened: ReadonlyMap<string, Stats>;

  /** @param paths files that are open now */
  constructor(paths: readonly string[]) {
    this.opened = new Map(paths.map((path) => [path, statSync(path)]));
  }

  /** What is wrong, as a sentence for operators; undefined if all files are where they were. Takes a few µs per file. */
  problem(): string | undefined {
    for (const [path, opened] of this.opened) {
      const now = statSync(path, { throwIfNoEntry: false });
      if (now && isSameFile(now, opened)) continue;
      const what = now ? 'was replaced by another file' : 'is gone';
      return `${basename(path)} in ${dirname(path)} ${what} while this process was using it; votes are not acknowledged until the file is moved back, or until this process is stopped and the data restored`;
    }
    return undefined;
  }
}

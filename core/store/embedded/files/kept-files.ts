import { type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isSameFile } from './identity.ts';

/**
 * The files that are open, compared with those at their paths. If a file is deleted or replaced, lmdb goes on writing to the one
 * that it has open, which nobody will find again.
 */
export class KeptFiles {
  private readonly opened: ReadonlyMap<string, Stats>;
  /** True if all files were where they belong when this turn of the event loop looked first. */
  private isSound = false;

  /** @param paths files that are open now */
  constructor(paths: readonly string[]) {
    this.opened = new Map(paths.map((path) => [path, statSync(path)]));
  }

  /**
   * What is wrong, as a sentence for operators; undefined if all files are where they were. As long as nothing is wrong, looks once
   * in each turn of the event loop, because a look takes a few µs per file, and many appends end in the same turn.
   */
  problem(): string | undefined {
    if (this.isSound) return undefined;
    const problem = this.look();
    this.isSound = problem === undefined;
    if (this.isSound) setImmediate(() => (this.isSound = false));
    return problem;
  }

  private look(): string | undefined {
    for (const [path, opened] of this.opened) {
      const what = changeOf(path, opened);
      if (what !== undefined) return `${basename(path)} in ${dirname(path)} ${what}`;
    }
    return undefined;
  }
}

function changeOf(path: string, opened: Stats): string | undefined {
  let now: Stats | undefined;
  try {
    now = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Such as a directory that may no longer be searched, a loop of symbolic links, or a disk that fails.
    const { code } = error as NodeJS.ErrnoException;
    return `cannot be examined (${code}); votes are not acknowledged until it can be`;
  }
  if (now && isSameFile(now, opened)) return undefined;
  const what = now ? 'was replaced by another file' : 'is gone';
  return `${what} while this process was using it; votes are not acknowledged until the file is moved back, or until this process is stopped and the data restored`;
}

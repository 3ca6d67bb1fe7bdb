import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { examineLazy } from '../pages/examine.ts';

/** Moves a file that Pollcast can do without out of the way if it is damaged. */
export interface SetAside {
  readonly directory: string;
  readonly name: string;
  /** What is lost with the file, as a sentence. */
  readonly loss: string;
  /** Called with what was done, for the log. */
  readonly report: (message: string) => void;
}

/** Moves the file to a name that no file has, so that a new one is begun. Nothing happens if it is sound or missing. */
export function setAsideIfDamaged({ directory, name, loss, report }: SetAside): void {
  const path = join(directory, name);
  const damage = examineLazy(path);
  if (damage === undefined) return;
  const aside = freeName(path, 'damaged');
  renameSync(path, aside);
  report(`${name} is damaged: ${damage}; it was moved to ${aside}, and a new one is begun. ${loss}`);
}

/** A path that no file has: the path itself with `suffix`, and a number. */
export function freeName(path: string, suffix: string): string {
  for (let i = 1; ; i++) {
    const name = `${path}.${suffix}-${i}`;
    if (!existsSync(name)) return name;
  }
}

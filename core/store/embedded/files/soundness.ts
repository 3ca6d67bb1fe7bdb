import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BallotTable } from '../../../voting/count/ballots/table.ts';
import { type Depth, examine } from '../pages/examine.ts';

/** The files of a deployment, without which it cannot go on. */
export const CORE_FILES = ['log.lmdb', 'state.lmdb'] as const;
export type CoreFile = (typeof CORE_FILES)[number];

/** True for a file that is there and not empty: lmdb takes an empty file for a new one. */
export function isThere(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** What is wrong with the files of a directory, each as a clause about “it”. */
export function damages(directory: string, depth: Depth): Map<CoreFile, string> {
  const found = new Map<CoreFile, string>();
  for (const name of CORE_FILES) {
    const damage = examine(join(directory, name), depth, name === 'state.lmdb' ? isReadable : undefined);
    if (damage !== undefined) found.set(name, damage);
  }
  return found;
}

/**
 * @throws Error with a message for the operator if a file is damaged. Opening a damaged file could end the process without a
 * word, because lmdb maps files into memory.
 */
export function demandSound(directory: string, depth: Depth): void {
  const found = damages(directory, depth);
  if (found.size === 0) return;
  const lines = [...found].map(([name, damage]) => `  ${name} is damaged: ${damage}`);
  throw new Error(
    `the data in ${directory} cannot be used:\n${lines.join('\n')}\nNothing was changed. Restore both files from the same backup, or run "pollcast repair --data-dir ${directory}": it rebuilds the state from the log, or exports what is readable of the log.`,
  );
}

/** Whether a value of the state is what its table should contain: pages of ballots, or else JSON. */
function isReadable(value: Buffer, table: string): boolean {
  try {
    if (table === 'pages') new BallotTable('last').load([value], 1);
    else JSON.parse(value.toString());
    return true;
  } catch {
    return false;
  }
}

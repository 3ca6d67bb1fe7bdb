import { statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'stopped.json';

/** The size and the time of the last change of each file, when the store was closed. */
type Looks = Readonly<Record<string, { readonly bytes: number; readonly changedMs: number }>>;

/** Notes, once everything is closed, what the files look like. The next start then need not examine them page by page. */
export async function recordStop(directory: string, names: readonly string[]): Promise<void> {
  await writeFile(join(directory, NAME), `${JSON.stringify(looksOf(directory, names))}\n`);
}

/** True if the files are as they were when the store was last closed. False after a crash, and for restored files. */
export async function wasStopped(directory: string, names: readonly string[]): Promise<boolean> {
  const text = await readFile(join(directory, NAME), 'utf8').catch(() => '');
  return text.trim() === JSON.stringify(looksOf(directory, names));
}

/** Forgets the last stop, because the files are about to change. */
export async function forgetStop(directory: string): Promise<void> {
  await rm(join(directory, NAME), { force: true });
}

function looksOf(directory: string, names: readonly string[]): Looks {
  const looks = names.map((name) => {
    const stats = statSync(join(directory, name), { throwIfNoEntry: false });
    return [name, { bytes: stats?.size ?? 0, changedMs: stats?.mtimeMs ?? 0 }] as const;
  });
  return Object.fromEntries(looks);
}

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Registry } from '../core/store/store.ts';

/** The file in the data directory that contains the operator token if none is configured. */
export const TOKEN_FILE = 'operator-token';

/** The token in a data directory. It is generated at the first start, in a file that only its owner can read. */
export async function tokenOfDirectory(directory: string): Promise<string> {
  const file = join(directory, TOKEN_FILE);
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(file, `${newToken()}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}

/** The token shared by all processes that use the same store. It is generated at the first start. */
export async function tokenOfStore(registry: Registry): Promise<string> {
  await registry.put('secrets', 'operator', newToken(), 0);
  const kept = await registry.get<string>('secrets', 'operator');
  if (!kept) throw new Error('the operator token could not be stored');
  return kept.value;
}

function newToken(): string {
  return randomBytes(18).toString('base64url');
}

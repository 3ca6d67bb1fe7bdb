import { rm } from 'node:fs/promises';
import { open } from 'lmdb';
import { awaitWrite } from '../await-write.ts';
import { Deployment } from '../deployment.ts';
import type { StoredDocument } from './readable.ts';

/**
 * Writes a state file with documents and nothing else: ballots and tallies follow from the log, and are counted at the next start.
 *
 * @param id the id of the log’s deployment; undefined for logs of earlier versions
 */
export async function writeState(
  path: string,
  id: string | undefined,
  documents: readonly StoredDocument[],
): Promise<void> {
  await rm(path, { force: true });
  const root = open({ path, noSubdir: true, overlappingSync: false, maxDbs: 16 });
  const table = root.openDB<object, [string, string]>({ name: 'registry', encoding: 'json' });
  await awaitWrite(
    root.childTransaction(() => {
      for (const { collection, id, value, version } of documents) table.putSync([collection, id], { value, version });
    }),
  );
  if (id !== undefined) await new Deployment(root).put('id', id);
  await root.close();
  await rm(`${path}-lock`, { force: true });
}

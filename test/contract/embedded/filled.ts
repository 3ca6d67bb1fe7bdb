import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { START } from '../../../core/store/offset.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import { accounting, commitOf, marker, pagesOf, votes } from '../samples.ts';

export const PARTITIONS = 2;
export const ENTRIES = 120;

/** The entry at a place of a filled log. Every few entries, it is so long that LMDB gives it pages of its own. */
export function entryAt(partition: number, sequence: number): Entry {
  if (sequence === 1) return marker('q');
  return votes(sequence, `d${partition}-${sequence}-${'x'.repeat(sequence % 5 === 0 ? 9_000 : 300)}`);
}

/** A data directory with entries, ballots and documents, in pages of all kinds, that was closed. */
export async function filledDirectory(t: Test): Promise<string> {
  const directory = join(t.testdir(), 'filled');
  const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
  const sequences = Array.from({ length: ENTRIES }, (_, i) => i + 1);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const offsets = await Promise.all(sequences.map((one) => store.log.append(partition, entryAt(partition, one))));
    let at = START;
    for (const offset of offsets.filter((_, i) => i % 10 === 9)) {
      const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
      const ballots = sequences.map((i) => [`d${i}-${offset}`, { choice: 'a'.repeat(i), atMs: i }] as const);
      const checkpoint = { producers: new Map([['run', 1]]), rounds: [pagesOf(ballots)] };
      const expected = { expectedCheckpoint: at === START ? undefined : at };
      const weights = [[`a${offset}`, 1]] as const;
      await store.counts.commit(
        commitOf(partition, at, offset, { ...expected, slices: [{ ...slice, weights }], checkpoint }),
      );
      at = offset;
    }
  }
  const devices = Array.from({ length: 60 }, (_, i) => ({ id: `d${i}`, note: 'y'.repeat(i * 100) }));
  await Promise.all(devices.map((device) => store.registry.put('devices', device.id, device)));
  await store.close();
  return directory;
}

/** How a file may be found, by name. Each changes the file at `path`. */
export const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'cut to half': (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
  'cut within its last page in use': (path) => truncateSync(path, readFileSync(path).length - 4_000),
  'cut to 4096 bytes': (path) => truncateSync(path, 4_096),
  'cut to 10 bytes': (path) => truncateSync(path, 10),
  'zeroed meta pages': (path) => overwrite(path, 0, Buffer.alloc(8_192)),
  'one zeroed meta page': (path) => overwrite(path, 4_096, Buffer.alloc(4_096)),
  'a text file': (path) => writeFileSync(path, 'Dear operator,\n'.repeat(1_000)),
  'zeros behind its meta pages': (path) => overwrite(path, 8_192, Buffer.alloc(readFileSync(path).length - 8_192)),
  'only zeros': (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length)),
};

/** Overwrites a part of a file. */
export function overwrite(path: string, at: number, bytes: Buffer): void {
  const content = readFileSync(path);
  bytes.copy(content, at);
  writeFileSync(path, content);
}

/** A copy of a directory. */
export function copyOf(t: Test, directory: string): string {
  const copy = join(t.testdir(), 'copy');
  cpSync(directory, copy, { recursive: true });
  return copy;
}

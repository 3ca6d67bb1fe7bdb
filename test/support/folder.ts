import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty folder for a test whose `testdir` is in use: calling `testdir` again would empty it. */
export function emptyFolder(t: Pick<Test, 'teardown'>): string {
  const path = mkdtempSync(join(tmpdir(), 'pollcast-test-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

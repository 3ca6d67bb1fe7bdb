import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const actions = new Set<() => void>();

process.on('exit', () => {
  for (const action of actions) action();
});
// By default, a signal ends a process without its `exit` event.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Has `action` called if this process ends before `done` is called, however it ends. @returns `done` */
export function onLeaving(action: () => void): () => void {
  actions.add(action);
  return () => void actions.delete(action);
}

/** A new temporary folder, which is removed by `remove`, or when this process ends. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'pollcast-bench-'));
  const removeNow = () => rmSync(path, { recursive: true, force: true });
  const done = onLeaving(removeNow);
  return {
    path,
    remove() {
      done();
      removeNow();
    },
  };
}

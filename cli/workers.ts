import cluster, { type Worker } from 'node:cluster';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';

/** Pause before a worker that ended is replaced, ms: doubles from the first to the second while they keep ending. */
const RESTART_MS = { first: 200, most: 10_000 } as const;
/** A worker that lived this long had started well, ms. */
const SETTLED_MS = 10_000;

/** Tells a worker which one it is. */
const PLACE = 'POLLCAST_WORKER_PLACE';

/** Which worker this process is, from 0; undefined in the process that was started by hand. */
export function place(): number | undefined {
  const { [PLACE]: text } = process.env;
  // It is not a setting: the configuration must not stumble over it.
  delete process.env[PLACE];
  return text === undefined ? undefined : Number(text);
}

/**
 * Runs `count` processes with the same command line, which share their MQTT port; one that ends is replaced. Resolves
 * with true once all were told to stop and have ended well.
 */
export async function superviseWorkers(count: number, log: Log): Promise<boolean> {
  const halt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => halt.abort());
  const outcomes = await Promise.all(Array.from({ length: count }, (_, i) => superviseOne(i, halt.signal, log)));
  return outcomes.every((isClean) => isClean);
}

async function superviseOne(place: number, halt: AbortSignal, log: Log): Promise<boolean> {
  let restartMs: number = RESTART_MS.first;
  for (;;) {
    const startMs = performance.now();
    const worker = cluster.fork({ [PLACE]: String(place) });
    const stop = () => worker.process.kill('SIGTERM');
    halt.addEventListener('abort', stop, { once: true });
    const code = await ended(worker);
    halt.removeEventListener('abort', stop);
    if (halt.aborted) return code === 0;
    if (performance.now() - startMs > SETTLED_MS) restartMs = RESTART_MS.first;
    log.error({ worker: place, code, restartMs }, 'a broker process ended; starting another');
    await pause(restartMs, halt);
    if (halt.aborted) return true;
    restartMs = Math.min(restartMs * 2, RESTART_MS.most);
  }
}

function ended(worker: Worker): Promise<number | null> {
  return new Promise((resolve) => worker.once('exit', (code) => resolve(code)));
}

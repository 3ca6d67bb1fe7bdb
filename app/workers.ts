import cluster, { type Worker } from 'node:cluster';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/waiting/pause.ts';

/** Delay in ms before an exited worker is replaced. It doubles from `first` up to `most` while workers keep exiting early. */
const RESTART_MS = { first: 200, most: 10_000 } as const;
/** If a worker has run for longer than this (ms), it is considered to have started successfully. */
const SETTLED_MS = 10_000;

/** The environment variable that tells a worker its number. */
const INDEX = 'POLLCAST_WORKER_INDEX';

/** The number of this worker, from 0; undefined outside a worker. */
export function workerIndex(): number | undefined {
  const { [INDEX]: text } = process.env;
  // Remove the variable, because the configuration would reject it as an unknown setting.
  delete process.env[INDEX];
  return text === undefined ? undefined : Number(text);
}

/**
 * Runs `count` processes with the same command line, which share one MQTT port, and replaces those that exit. Resolves once all
 * have been stopped, with true if all of them exited cleanly.
 *
 * @param passedOn signals that the workers get, too
 */
export async function superviseWorkers(
  count: number,
  log: Log,
  passedOn: readonly NodeJS.Signals[] = [],
): Promise<boolean> {
  const halt = new AbortController();
  for (const signal of passedOn) {
    process.on(signal, () => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
    });
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => halt.abort());
  const outcomes = await Promise.all(Array.from({ length: count }, (_, i) => superviseOne(i, halt.signal, log)));
  return outcomes.every((isClean) => isClean);
}

async function superviseOne(index: number, halt: AbortSignal, log: Log): Promise<boolean> {
  let restartMs: number = RESTART_MS.first;
  for (;;) {
    const startMs = performance.now();
    const worker = cluster.fork({ [INDEX]: String(index) });
    const stop = () => worker.process.kill('SIGTERM');
    halt.addEventListener('abort', stop, { once: true });
    const code = await exited(worker);
    halt.removeEventListener('abort', stop);
    if (halt.aborted) return code === 0;
    if (performance.now() - startMs > SETTLED_MS) restartMs = RESTART_MS.first;
    log.error({ worker: index, code, restartMs }, 'a broker process exited; starting another');
    await pause(restartMs, halt);
    if (halt.aborted) return true;
    restartMs = Math.min(restartMs * 2, RESTART_MS.most);
  }
}

function exited(worker: Worker): Promise<number | null> {
  return new Promise((resolve) => worker.once('exit', (code) => resolve(code)));
}

/**
 * Loaded into the server: measures the processor time of its main thread between the turns of a timer of 1 ms. While the thread
 * is busy the timer is late, so that the time is that of one stretch of work.
 */

import { appendFileSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Interval in ms between lines in the file. */
const REPORT_EVERY_MS = 250;
/** Stretches of less than this (ms) are left out. */
const LEAST_MS = 0.1;

/** The stretches of work since the last line, in ms of processor time. */
export interface Stretches {
  readonly atMs: number;
  readonly ms: readonly number[];
}

const file = process.env.BENCH_TURNS;
if (file !== undefined && isMainThread) {
  let before = used();
  let stretches: number[] = [];
  setInterval(() => {
    const now = used();
    if (now - before > LEAST_MS) stretches.push(Number((now - before).toFixed(2)));
    before = now;
  }, 1).unref();
  setInterval(() => {
    appendFileSync(
      file,
      `${JSON.stringify({ atMs: performance.timeOrigin + performance.now(), ms: stretches } satisfies Stretches)}\n`,
    );
    stretches = [];
  }, REPORT_EVERY_MS).unref();
}

/** The processor time that this thread has used, in ms. */
function used(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0]) / 1e6;
}

import { readFileSync } from 'node:fs';
import type { Stretches } from './turn-meter.child.ts';

/** Stretches of work without a pause, in ms of processor time. */
export interface TurnTimes {
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

/**
 * How long the server’s main thread worked without a pause, in ms of its own processor time, which other processes on the machine
 * do not affect: a vote that arrives while it works meets a stretch of at most `p50` with a probability of one half.
 *
 * @param file what `turn-meter.child.ts` has written @param sinceMs by `performance.now`; until now
 */
export function turnsOf(file: string, sinceMs: number): TurnTimes {
  const untilMs = performance.timeOrigin + performance.now();
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Stretches);
  const stretches = lines
    .filter(({ atMs }) => atMs > performance.timeOrigin + sinceMs && atMs <= untilMs)
    .flatMap(({ ms }) => ms);
  stretches.sort((a, b) => a - b);
  const busy = stretches.reduce((sum, ms) => sum + ms, 0);
  const at = (share: number) => {
    let left = busy * share;
    return stretches.find((ms) => (left -= ms) <= 0) ?? 0;
  };
  return { p50: at(0.5), p99: at(0.99), longest: stretches.at(-1) ?? 0 };
}

import type { RoundRecord } from '../rules/record.ts';
import type { Poll } from './poll.ts';

/**
 * A safety margin in ms, because clocks differ between machines and a marker is logged slightly later than the time it states.
 */
const MARGIN_MS = 3_600_000;

/**
 * The time (ms since 1970) before which no entry of the vote log is needed. Entries since then are enough to recount every
 * round that is not closed, or was closed after `beforeMs`.
 */
export function neededFrom(polls: Iterable<Poll>, beforeMs: number): number {
  let needed = beforeMs;
  for (const poll of polls) {
    for (const { openedAtMs, closedAtMs } of [...(poll.pastRounds ?? []), poll]) {
      const isNeeded = closedAtMs === undefined || closedAtMs > beforeMs;
      if (openedAtMs !== undefined && isNeeded) needed = Math.min(needed, openedAtMs);
    }
  }
  return needed - MARGIN_MS;
}

/** The maximum number of past rounds kept for a poll. If there are more, the oldest are merged into one. */
const MAX_PAST_ROUNDS = 100;

/** The past rounds of a poll after `record` is added. */
export function withPastRound(past: readonly RoundRecord[], record: RoundRecord): RoundRecord[] {
  const all = [...past, record];
  const [first, second, ...rest] = all;
  if (all.length <= MAX_PAST_ROUNDS || !first || !second) return all;
  return [{ openedAtMs: first.openedAtMs, closedAtMs: second.closedAtMs, isMerged: true }, ...rest];
}

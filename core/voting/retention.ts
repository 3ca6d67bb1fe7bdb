import type { Poll, RoundRecord } from './poll.ts';

/** Clocks of different machines may differ, and a marker is logged a moment after its instant: so much earlier, ms. */
const MARGIN_MS = 3_600_000;

/**
 * The instant, ms since 1970, before which no entry of the vote log is needed: every round that is not closed, or was
 * closed after `beforeMs`, can be counted again from its opening on.
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

/** How many past rounds a poll tells of one by one; the oldest are told together. */
const MAX_PAST_ROUNDS = 100;

/** The past rounds of a poll that is opened again. */
export function withRound(past: readonly RoundRecord[], record: RoundRecord): RoundRecord[] {
  const all = [...past, record];
  const [first, second, ...rest] = all;
  if (all.length <= MAX_PAST_ROUNDS || !first || !second) return all;
  return [{ openedAtMs: first.openedAtMs, closedAtMs: second.closedAtMs, isMerged: true }, ...rest];
}

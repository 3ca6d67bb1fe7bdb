import { Refusal } from '../runtime/refusal.ts';
import type { Poll } from '../voting/poll/poll.ts';

const DAY_MS = 86_400_000;
/** A round may be continued until this time in ms before its log may be removed. Clocks differ, and opening takes a moment. */
const MARGIN_MS = 3_600_000;
/** The maximum number of interruptions of a round. Every marker of the round carries all of them. */
const MAX_INTERRUPTIONS = 100;

/**
 * Checks whether the last round of a closed poll can go on.
 *
 * @param retentionDays for how many days the log of a closed round is kept; 0: forever
 * @param nowMs ms since 1970
 * @throws Refusal key-destroyed, log-removed, too-many-interruptions
 */
export function demandContinuable(poll: Poll, retentionDays: number, nowMs: number): void {
  const { definition, round, closedAtMs = 0, interruptions = [] } = poll;
  const { poll: id, secrecy } = definition;
  if (secrecy === 'secret') {
    const why = `poll ${id} is secret: the key that recognises who has voted was destroyed when round ${round} was closed, so everyone could vote a second time; open a new round instead`;
    throw new Refusal('key-destroyed', why);
  }
  if (retentionDays > 0 && closedAtMs < nowMs - retentionDays * DAY_MS + MARGIN_MS) {
    const why = `round ${round} of poll ${id} was closed on ${new Date(closedAtMs).toISOString()}, and votes are kept for ${retentionDays} days (POLLCAST_RETENTION_DAYS), so it could not be recounted; open a new round instead`;
    throw new Refusal('log-removed', why);
  }
  if (interruptions.length >= MAX_INTERRUPTIONS) {
    const why = `round ${round} of poll ${id} has been continued ${MAX_INTERRUPTIONS} times, which is the limit; open a new round instead`;
    throw new Refusal('too-many-interruptions', why);
  }
}

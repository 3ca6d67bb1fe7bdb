import { randomBytes } from 'node:crypto';
import { drawLot } from '../audit/lot.ts';
import type { Device } from '../devices/device.ts';
import { newPseudonymKey } from '../devices/pseudonym.ts';
import { electorateOf } from '../voting/poll/electorate.ts';
import { firstRound, type Poll } from '../voting/poll/poll.ts';
import { withPastRound } from '../voting/poll/retention.ts';
import { type Interruption, NO_RECORD, type RoundRecord, recordOf } from '../voting/rules/record.ts';

/** The poll after voting has ended. An open poll enters its grace period if it has one; otherwise the poll is closing. */
export function stopped(now: Poll): Poll {
  const stoppedAtMs = now.stoppedAtMs ?? Math.min(Date.now(), now.closesAtMs ?? Number.POSITIVE_INFINITY);
  const hasGrace = now.status === 'open' && (now.definition.lateGraceMs ?? 0) > 0;
  return { ...now, stoppedAtMs, status: hasGrace ? 'grace' : 'closing' };
}

/** A draft or closed poll whose next round is about to open. @param devices the registered devices that may vote, if known */
export function opening(now: Poll, devices: readonly Device[]): Poll {
  return {
    ...now,
    ...openingRecord(now, devices),
    status: 'opening',
    round: Math.max(now.round + 1, firstRound(now)),
    pseudonymKey: openingKey(now),
    missingKey: undefined,
    pastRounds: now.openedAtMs === undefined ? undefined : withPastRound(now.pastRounds ?? [], recordOf(now)),
  };
}

/** The inverse of `opening`, for a round that cannot open after all. */
export function unopened(now: Poll): Poll {
  const round = now.round - 1;
  const wasOpened = round >= firstRound(now);
  const pastRounds = [...(now.pastRounds ?? [])];
  const record = recordOf({ ...now, ...NO_RECORD, ...pastRounds.pop() });
  const status = wasOpened ? 'closed' : 'draft';
  return { ...now, ...record, ...closedKey(now), pastRounds, round: wasOpened ? round : 0, status };
}

/** What is recorded before a round opens: how many may vote, if known, and the drawn lot if ties are broken by lot. */
function openingRecord({ definition }: Poll, devices: readonly Device[]): RoundRecord {
  const { tieBreak, options, seed = randomBytes(16).toString('hex') } = definition;
  const keys = options.map(({ key }) => key);
  const lot = tieBreak === 'lot' ? { seed, lot: drawLot(seed, keys) } : {};
  return { ...NO_RECORD, electorate: electorateOf(definition, devices), ...lot };
}

/** When a round begins, and when it closes automatically. */
export function openingTimes({ definition, ...now }: Poll): RoundRecord {
  const { durationMs, closesAt } = definition;
  const openedAtMs = now.openedAtMs ?? Date.now();
  const ends = [durationMs === undefined ? Number.NaN : openedAtMs + durationMs, Date.parse(closesAt ?? '')];
  // A `closesAt` in the past is ignored, because an operator opened the poll after that time.
  const closesAtMs = Math.min(...ends.filter((endMs) => endMs > openedAtMs));
  return { openedAtMs, closesAtMs: now.closesAtMs ?? (Number.isFinite(closesAtMs) ? closesAtMs : undefined) };
}

/** A closed poll whose round is about to go on. What was recorded about the close becomes an interruption. */
export function interrupted({ closesAtMs, stoppedAtMs, closedAtMs = 0, presentAtClose, draws, ...rest }: Poll): Poll {
  const interruption = { closesAtMs, stoppedAtMs, closedAtMs, presentAtClose, ...(draws ? { draws } : {}) };
  return { ...rest, interruptions: [...(rest.interruptions ?? []), interruption], status: 'opening' };
}

/** The inverse of `interrupted`, for a round that cannot go on after all. */
export function uninterrupted({ interruptions = [], ...rest }: Poll): Poll {
  const { continuedAtMs: _, ...closing } = interruptions.at(-1) as Interruption;
  const earlier = interruptions.slice(0, -1);
  return { ...rest, ...closing, interruptions: earlier.length > 0 ? earlier : undefined, status: 'closed' };
}

/**
 * When a round goes on, and when it closes automatically: at `closesAt`, or once what is left of its duration has passed. If
 * neither leaves any time, it stays open until an operator closes it.
 */
export function continuingTimes(now: Poll): RoundRecord {
  const { interruptions = [], closesAtMs, openedAtMs = 0 } = now;
  const last = interruptions.at(-1);
  if (!last || last.continuedAtMs !== undefined) return { interruptions, closesAtMs };
  const { durationMs = 0, closesAt } = now.definition;
  const continuedAtMs = Date.now();
  let [beganAtMs, votingMs] = [openedAtMs, 0];
  for (const { closedAtMs, stoppedAtMs = closedAtMs, continuedAtMs: nextMs = 0 } of interruptions) {
    votingMs += Math.max(0, stoppedAtMs - beganAtMs);
    beganAtMs = nextMs;
  }
  const ends = [continuedAtMs + durationMs - votingMs, Date.parse(closesAt ?? '')];
  const endMs = Math.min(...ends.filter((one) => one > continuedAtMs));
  return {
    interruptions: [...interruptions.slice(0, -1), { ...last, continuedAtMs }],
    closesAtMs: Number.isFinite(endMs) ? endMs : undefined,
  };
}

/** The key for pseudonyms: a secret poll gets a new key for each round, and a pseudonymous poll uses one key for all rounds. */
export function openingKey({ definition, pseudonymKey }: Poll): string | undefined {
  const { secrecy = 'named' } = definition;
  if (secrecy === 'named') return undefined;
  return secrecy === 'secret' ? newPseudonymKey() : (pseudonymKey ?? newPseudonymKey());
}

/** The key for pseudonyms after a round. Without that of a secret round, nobody can link a ballot to its voter. */
export function closedKey({ definition, pseudonymKey }: Poll): Pick<Poll, 'pseudonymKey' | 'missingKey'> {
  return { pseudonymKey: definition.secrecy === 'secret' ? undefined : pseudonymKey, missingKey: undefined };
}

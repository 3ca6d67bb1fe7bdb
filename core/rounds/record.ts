import { randomBytes } from 'node:crypto';
import { drawLot } from '../audit/lot.ts';
import type { Device } from '../devices/device.ts';
import { newPseudonymKey } from '../devices/pseudonym.ts';
import { electorateOf } from '../voting/poll/electorate.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { NO_RECORD, type RoundRecord } from '../voting/rules/record.ts';

/** The poll after voting has ended. An open poll enters its grace period if it has one; otherwise the poll is closing. */
export function stopped(now: Poll): Poll {
  const stoppedAtMs = now.stoppedAtMs ?? Math.min(Date.now(), now.closesAtMs ?? Number.POSITIVE_INFINITY);
  const hasGrace = now.status === 'open' && (now.definition.lateGraceMs ?? 0) > 0;
  return { ...now, stoppedAtMs, status: hasGrace ? 'grace' : 'closing' };
}

/** What is recorded before a round opens: how many may vote, if known, and the drawn lot if ties are broken by lot. */
export function openingRecord({ definition }: Poll, devices: readonly Device[]): RoundRecord {
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

/** The key for pseudonyms: a secret poll gets a new key for each round, and a pseudonymous poll uses one key for all rounds. */
export function openingKey({ definition, pseudonymKey }: Poll): string | undefined {
  const { secrecy = 'named' } = definition;
  if (secrecy === 'named') return undefined;
  return secrecy === 'secret' ? newPseudonymKey() : (pseudonymKey ?? newPseudonymKey());
}

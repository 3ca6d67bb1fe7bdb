import { randomBytes } from 'node:crypto';
import { drawLot } from '../core/audit/lot.ts';
import type { Device } from '../core/devices/device.ts';
import { newPseudonymKey } from '../core/devices/pseudonym.ts';
import { electorateOf } from '../core/voting/electorate.ts';
import { NO_RECORD, type Poll, type RoundRecord } from '../core/voting/poll.ts';

/** The poll when voting is over: in its grace, where it has one and has not had it yet. */
export function stopped(now: Poll): Poll {
  const stoppedAtMs = now.stoppedAtMs ?? Math.min(Date.now(), now.closesAtMs ?? Number.POSITIVE_INFINITY);
  const hasGrace = now.status === 'open' && (now.definition.lateGraceMs ?? 0) > 0;
  return { ...now, stoppedAtMs, status: hasGrace ? 'grace' : 'closing' };
}

/** What is known of a round before it is opened. */
export function recordOfOpening({ definition }: Poll, devices: readonly Device[]): RoundRecord {
  const { tieBreak, options, seed = randomBytes(16).toString('hex') } = definition;
  const keys = options.map(({ key }) => key);
  const lot = tieBreak === 'lot' ? { seed, lot: drawLot(seed, keys) } : {};
  return { ...NO_RECORD, electorate: electorateOf(definition, devices), ...lot };
}

/** When a round begins, and when it is closed by itself. */
export function timesOfOpening({ definition, ...now }: Poll): RoundRecord {
  const { durationMs, closesAt } = definition;
  const openedAtMs = now.openedAtMs ?? Date.now();
  const ends = [durationMs === undefined ? Number.NaN : openedAtMs + durationMs, Date.parse(closesAt ?? '')];
  // Who opens a poll after the time it was to be closed at wants it open.
  const closesAtMs = Math.min(...ends.filter((endMs) => endMs > openedAtMs));
  return { openedAtMs, closesAtMs: now.closesAtMs ?? (Number.isFinite(closesAtMs) ? closesAtMs : undefined) };
}

/** The key of pseudonyms: a new one for each round of a secret poll, one for all rounds where they are to be told. */
export function keyOfOpening({ definition, pseudonymKey }: Poll): string | undefined {
  const { secrecy = 'named' } = definition;
  if (secrecy === 'named') return undefined;
  return secrecy === 'secret' ? newPseudonymKey() : (pseudonymKey ?? newPseudonymKey());
}

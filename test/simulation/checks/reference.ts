import type { Entry } from '../../../core/voting/count/entry.ts';
import type { Slice } from '../../../core/voting/count/slice.ts';
import type { Vote } from '../../../core/voting/count/vote.ts';
import type { Press } from './ledger.ts';
import { stretchAfter } from './stretch.ts';

/** The ballot of a device, as the reference counts it. */
interface Held {
  press: Press;
  /** How many votes of the device counted. */
  votes: number;
  readonly seen: Set<Press>;
}

/** What the reference counted for one round in one partition. */
export interface ReferenceRound {
  readonly revote: string;
  isOpen: boolean;
  interruptions: number;
  received: number;
  replaced: number;
  redelivered: number;
  readonly rejected: Map<string, number>;
  readonly ballots: Map<string, Held>;
  /** Presses of which a copy lies between an open and a close marker. */
  readonly inTime: Set<Press>;
}

/**
 * Counts a partition’s log by the rules of docs/ARCHITECTURE.md, without any of the product’s code for counting. It knows what
 * the product cannot: which press each vote stands for, and in which order a device’s buttons were pressed.
 */
export function referenceCount(
  entries: readonly Entry[],
  pressOf: (vote: Vote) => Press | undefined,
): Map<string, ReferenceRound> {
  const rounds = new Map<string, ReferenceRound>();
  const appended = new Set<string>();
  for (const entry of entries) {
    if (entry.type !== 'votes') {
      mark(rounds, entry);
      continue;
    }
    const name = `${entry.producer} ${entry.sequence}`;
    if (appended.has(name)) continue;
    appended.add(name);
    for (const { poll, round: number, votes, rejected } of entry.rounds) {
      const round = rounds.get(`${poll}/${number}`);
      if (!round) continue;
      for (const [reason, count] of Object.entries(rejected)) reject(round, reason, count);
      for (const vote of votes) take(round, vote, pressOf(vote));
    }
  }
  return rounds;
}

function mark(rounds: Map<string, ReferenceRound>, marker: Exclude<Entry, { type: 'votes' }>): void {
  const key = `${marker.poll}/${marker.round}`;
  const round = rounds.get(key);
  const stretch = stretchAfter(round, marker);
  if (!stretch) return;
  if (round) Object.assign(round, stretch);
  else if (marker.type === 'open') {
    const counts = { received: 0, replaced: 0, redelivered: 0, rejected: new Map() };
    rounds.set(key, { revote: marker.definition.revote, ...stretch, ...counts, ballots: new Map(), inTime: new Set() });
  }
}

function take(round: ReferenceRound, vote: Vote, press: Press | undefined): void {
  if (!round.isOpen) return reject(round, 'closed', 1);
  if (!press) return reject(round, 'unknown press', 1);
  round.received++;
  round.inTime.add(press);
  const held = round.ballots.get(press.device);
  if (!held) {
    round.ballots.set(press.device, { press, votes: 1, seen: new Set([press]) });
    return;
  }
  // The last rule is one that the product documents: DUP and the ballot’s choice mean that it was sent before.
  const isAgain =
    held.seen.has(press) ||
    press.order < held.press.order ||
    (press.n === undefined && vote.dup === true && press.choice === held.press.choice);
  if (isAgain) {
    round.redelivered++;
    return;
  }
  const most = round.revote === 'first' ? 1 : Number(/^max (\d+)/.exec(round.revote)?.[1] ?? Number.POSITIVE_INFINITY);
  if (held.votes >= most) {
    round.received--;
    return reject(round, most === 1 ? 'already-voted' : 'too-many-votes', 1);
  }
  held.seen.add(press);
  held.press = press;
  held.votes++;
  round.replaced++;
}

function reject(round: ReferenceRound, reason: string, count: number): void {
  round.received += count;
  round.rejected.set(reason, (round.rejected.get(reason) ?? 0) + count);
}

/** How a slice differs from what the reference counted; empty if it does not. */
export function differencesFrom(
  reference: ReferenceRound,
  slice: Slice,
  ballots: ReadonlyMap<string, { choice: string }>,
): string[] {
  const found: string[] = [];
  const compare = (what: string, is: unknown, should: unknown): void => {
    if (is !== should) found.push(`${what}: ${String(is)} instead of ${String(should)}`);
  };
  const { accounting } = slice;
  compare('open', slice.open, reference.isOpen);
  compare('received', accounting.received, reference.received);
  compare('counted', accounting.counted, reference.ballots.size);
  compare('replaced', accounting.replaced, reference.replaced);
  compare('redelivered', accounting.redelivered, reference.redelivered);
  for (const reason of new Set([...Object.keys(accounting.rejected), ...reference.rejected.keys()])) {
    const is = (accounting.rejected as Record<string, number>)[reason] ?? 0;
    compare(`rejected ${reason}`, is, reference.rejected.get(reason) ?? 0);
  }
  compare('ballots', ballots.size, reference.ballots.size);
  const tally = new Map<string, number>();
  for (const [device, { press }] of reference.ballots) {
    compare(`ballot of ${device}`, ballots.get(device)?.choice.split('|')[0], press.choice);
    tally.set(press.choice, (tally.get(press.choice) ?? 0) + 1);
  }
  const counted = new Map<string, number>();
  for (const [cast, count] of slice.tally) {
    const [choice = ''] = cast.split('|');
    counted.set(choice, (counted.get(choice) ?? 0) + count);
  }
  for (const choice of new Set([...tally.keys(), ...counted.keys()])) {
    compare(`tally of ${choice}`, counted.get(choice) ?? 0, tally.get(choice) ?? 0);
  }
  return found;
}

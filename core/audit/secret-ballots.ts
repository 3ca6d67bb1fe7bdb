import { WITHDRAWN } from '../voting/count/ballot.ts';
import { castOf, readCast } from '../voting/count/cast.ts';
import type { Replay } from '../voting/count/replay.ts';
import { shift, type Tally } from '../voting/count/tally.ts';
import { kindOf } from '../voting/kinds/index.ts';
import type { Poll } from '../voting/poll/poll.ts';
import type { Apart, Count, SecretBallot } from './format.ts';

/** Ballots are sorted in as many parts as there are beginnings of this length, so that each part takes little time. */
const BEGINNING = 2;

/**
 * The ballots that count in a secret round, without what links them to the turnout, in the order of their pseudonyms: keyed hashes
 * whose key has been destroyed, so the order is as good as drawn, and yet the same in each export.
 */
export function* secretBallots(poll: Poll, replays: readonly Replay[]): Generator<SecretBallot> {
  const parts = new Map<string, SecretBallot[]>();
  for (const replay of replays) {
    for (const [voter, { choice }] of replay.ballots()) {
      if (choice === WITHDRAWN) continue;
      const ballot: SecretBallot = [voter, timeless(choice, poll)];
      const beginning = voter.slice(0, BEGINNING);
      const part = parts.get(beginning);
      if (part) part.push(ballot);
      else parts.set(beginning, [ballot]);
    }
  }
  for (const beginning of [...parts.keys()].sort()) {
    yield* (parts.get(beginning) as SecretBallot[]).sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** How many of the ballots arrived late; undefined if the poll does not accept late votes. */
export function lateBallots({ definition }: Poll, replays: readonly Replay[]): number | undefined {
  if (!definition.lateGraceMs) return undefined;
  let late = 0;
  for (const replay of replays) {
    for (const [cast, heads] of replay.slice?.tally ?? []) if (readCast(cast).late) late += heads;
  }
  return late;
}

/** Counts the ballots of a bundle, and checks that they are in order, which shows that nobody has two. */
export class SecretCount {
  private readonly tally: Tally = new Map();
  private apart: Apart | undefined;
  private ballots = 0;
  private last = '';

  /** @returns problems */
  add([voter, cast]: SecretBallot): string[] {
    const isInOrder = this.ballots === 0 || voter > this.last;
    this.last = voter;
    this.ballots++;
    shift(this.tally, cast, 1);
    return isInOrder
      ? []
      : ['out of order: a voter has two ballots, or the ballots are not in the order of their pseudonyms'];
  }

  /** Adds what became of all other votes. */
  close(apart: Apart): void {
    this.apart = apart;
  }

  get count(): Count {
    const { replaced = 0, redelivered = 0, rejected = {}, late, problems = [] } = this.apart ?? {};
    const counted = this.ballots;
    const received = Object.values(rejected).reduce((sum, one) => sum + one, counted + replaced + redelivered);
    const missing = this.apart ? [] : ['what became of the other votes is missing: the bundle is incomplete'];
    const accounting = { received, counted, replaced, redelivered, rejected };
    return { accounting, tally: this.tally, problems: [...problems, ...missing], late };
  }
}

/**
 * A cast without the time at which it was made. Where votes expire, all that count at the close are as if cast then, and all
 * others long before.
 */
function timeless(cast: string, { definition, closedAtMs = 0 }: Poll): string {
  const { choice, second, late: _, ...attributes } = readCast(cast);
  const lifetimeMs = kindOf(definition).lifetimeMs?.(definition);
  if (second === undefined || lifetimeMs === undefined) return castOf(choice, attributes);
  const isCounting = second * 1_000 > closedAtMs - lifetimeMs;
  return castOf(choice, { ...attributes, second: isCounting ? Math.ceil(closedAtMs / 1_000) : 0 });
}

/** `npm run bench:results`: measures how long it takes to compute a result from a tally, for several kinds of poll. */

import type { Tally } from '../core/voting/count/tally.ts';
import type { Draft, KindName } from '../core/voting/kinds/definition.ts';
import { checkDefinition } from '../core/voting/poll/check.ts';
import { figuresOf } from '../core/voting/result/result.ts';
import { randomChoice } from '../devices-sim/kinds.ts';
import { seeded } from '../devices-sim/random.ts';

const ROUNDS = 9;
const KEYS = [...'abcdefgh'];

interface Case {
  /** Returns a ballot. By default, the simulator’s random choice is used. */
  readonly choose?: (random: () => number) => string;
  readonly name: string;
  readonly ballots: number;
  readonly kind: KindName;
  readonly settings?: Partial<Draft>;
  /** Whether voters have different weights. */
  readonly weights?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'single choice', ballots: 1_000_000, kind: 'single' },
  { name: 'ranking, instant-runoff', ballots: 100_000, kind: 'ranking', choose: anyOrder },
  {
    name: 'ranking, STV, 3 seats',
    ballots: 100_000,
    kind: 'ranking',
    choose: anyOrder,
    settings: { method: 'stv', seats: 3, tieBreak: 'order' },
  },
  {
    name: 'ranking, STV by Meek, 3 seats',
    ballots: 100_000,
    kind: 'ranking',
    choose: anyOrder,
    settings: { method: 'stv', rules: 'meek', seats: 3, tieBreak: 'order' },
  },
  { name: 'ranking, Borda', ballots: 100_000, kind: 'ranking', choose: anyOrder, settings: { method: 'borda' } },
  {
    name: 'ranking, Condorcet',
    ballots: 100_000,
    kind: 'ranking',
    choose: anyOrder,
    settings: { method: 'condorcet' },
  },
  {
    name: 'ranking, Condorcet by Schulze',
    ballots: 100_000,
    kind: 'ranking',
    choose: anyOrder,
    settings: { method: 'condorcet', completion: 'schulze' },
  },
  {
    name: 'ranking, instant-runoff, weighted',
    ballots: 100_000,
    kind: 'ranking',
    choose: anyOrder,
    settings: { weighted: true },
    weights: true,
  },
  { name: 'score, STAR', ballots: 100_000, kind: 'score', settings: { method: 'star' } },
];

const rows = CASES.map(measure);
process.stdout.write(
  '| poll of 8 options | ballots | different casts | ms, median | ms, min – max |\n| --- | ---: | ---: | ---: | --- |\n',
);
for (const { name, ballots, casts, times } of rows) {
  const [least, median, most] = [times[0], times[Math.floor(times.length / 2)], times.at(-1)].map((ms = 0) =>
    ms.toFixed(ms < 10 ? 2 : 0),
  );
  process.stdout.write(`| ${name} | ${ballots} | ${casts} | ${median} | ${least} – ${most} |\n`);
}

function measure({ name, ballots, kind, settings = {}, weights, choose }: Case) {
  const options = KEYS.map((key) => ({ key, label: key }));
  const { definition, problems } = checkDefinition({ poll: 'q', title: 'Q?', kind, options, ...settings });
  if (problems.length > 0) throw new Error(problems.join('; '));
  const random = seeded(1);
  const tally: Tally = new Map();
  for (let i = 0; i < ballots; i++) {
    const choice = choose?.(random) ?? randomChoice(definition, random);
    const cast = weights ? `${choice}|w${1 + (i % 1000) / 10}` : choice;
    tally.set(cast, (tally.get(cast) ?? 0) + 1);
  }
  const poll = { definition, status: 'closed' as const, round: 1, createdAtMs: 0 };
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    figuresOf(poll, tally, true, 0);
    times.push(performance.now() - startMs);
  }
  return { name, ballots, casts: tally.size, times: times.sort((a, b) => a - b) };
}

/** A random ranking of at least three options, so that there are many different ballots. */
function anyOrder(random: () => number): string {
  const keys = [...KEYS];
  for (let i = keys.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [keys[i], keys[j]] = [keys[j] as string, keys[i] as string];
  }
  return keys.slice(0, 3 + Math.floor(random() * 6)).join('>');
}

/** `npm run bench:results`: how long results take to work out from a tally, for kinds that have something to count. */
import { checkDefinition } from '../core/voting/definition.ts';
import type { Definition, KindName } from '../core/voting/poll.ts';
import { figuresOf } from '../core/voting/result.ts';
import type { Tally } from '../core/voting/tally.ts';
import { randomChoice, seeded } from '../devices-sim/choices.ts';

const ROUNDS = 9;
const KEYS = [...'abcdefgh'];

interface Case {
  readonly name: string;
  readonly ballots: number;
  readonly kind: KindName;
  readonly settings?: Partial<Definition>;
  /** Each voter has a weight of its own. */
  readonly weights?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'single choice', ballots: 1_000_000, kind: 'single' },
  { name: 'ranking, instant-runoff', ballots: 100_000, kind: 'ranking' },
  {
    name: 'ranking, STV, 3 seats',
    ballots: 100_000,
    kind: 'ranking',
    settings: { method: 'stv', seats: 3, tieBreak: 'order' },
  },
  { name: 'ranking, Borda', ballots: 100_000, kind: 'ranking', settings: { method: 'borda' } },
  { name: 'ranking, Condorcet', ballots: 100_000, kind: 'ranking', settings: { method: 'condorcet' } },
  {
    name: 'ranking, instant-runoff, weighted',
    ballots: 100_000,
    kind: 'ranking',
    settings: { weighted: true },
    weights: true,
  },
  { name: 'score, STAR', ballots: 100_000, kind: 'score', settings: { method: 'star' } },
];

const rows = CASES.map(measure);
process.stdout.write(
  '| poll of 8 options | ballots | different casts | ms, median | ms, least to most |\n| --- | ---: | ---: | ---: | --- |\n',
);
for (const { name, ballots, casts, times } of rows) {
  const [least, median, most] = [times[0], times[Math.floor(times.length / 2)], times.at(-1)].map((ms = 0) =>
    ms.toFixed(ms < 10 ? 2 : 0),
  );
  process.stdout.write(`| ${name} | ${ballots} | ${casts} | ${median} | ${least} – ${most} |\n`);
}

function measure({ name, ballots, kind, settings = {}, weights }: Case) {
  const options = KEYS.map((key) => ({ key, label: key }));
  const draft: Definition = { poll: 'q', title: 'Q?', kind, options, revote: 'last', visibility: 'live', ...settings };
  const { definition, problems } = checkDefinition(draft);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const random = seeded(1);
  const tally: Tally = new Map();
  for (let i = 0; i < ballots; i++) {
    const choice =
      kind === 'ranking' ? anyOrder(random) : randomChoice({ ...definition, status: 'open', round: 1 }, random);
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

/** Some of the options in any order, each order as likely as the other: as many different ballots as can be. */
function anyOrder(random: () => number): string {
  const keys = [...KEYS];
  for (let i = keys.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [keys[i], keys[j]] = [keys[j] as string, keys[i] as string];
  }
  return keys.slice(0, 3 + Math.floor(random() * 6)).join('>');
}

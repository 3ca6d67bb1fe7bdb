import t from 'tap';
import { withChange } from '../../../client/change.ts';
import { newSlice, type Slice } from '../../../core/voting/count/slice.ts';
import { shift } from '../../../core/voting/count/tally.ts';
import type { Definition } from '../../../core/voting/kinds/definition.ts';
import { KIND_NAMES } from '../../../core/voting/kinds/index.ts';
import { type Result, resultOf } from '../../../core/voting/result/result.ts';
import { compactChange } from '../../../dashboards/sse/compact.ts';
import { deltaOf, hasSameOptions } from '../../../dashboards/sse/delta.ts';
import { randomChoice } from '../../../devices-sim/kinds.ts';
import { seeded } from '../../../devices-sim/random.ts';
import { define, pollOf, roll } from '../../support/kind.ts';

const KEYS = ['a', 'b', 'c', 'd'];
const VOTES = 200;
/** What every vote may change. */
const FIGURES = ['poll', 'round', 'ballots', 'votes', 'accounting', 'turnout', 'options', 'at'];
const FIRST_MS = Date.UTC(2026, 0, 1);

const polls: Readonly<Record<string, Definition>> = {
  ...Object.fromEntries(KIND_NAMES.map((kind) => [kind, defined(kind)])),
  'single, of a known electorate': define('single', KEYS, { entitled: { heads: 300 } }),
  'multiple, of selections': define('multiple', KEYS, { shareOf: 'selections' }),
  'by group': define('single', KEYS, { byGroup: true }),
  'with a label like a time': {
    ...define('single', KEYS),
    options: [{ key: 'a', label: '2026-01-01T00:00:00.000Z' }, ...define('single', ['b', 'c']).options],
  },
};

for (const [name, definition] of Object.entries(polls)) {
  t.test(`compact changes add up to the result: ${name}`, async (t) => {
    const random = seeded(1);
    const slice = newSlice('q', 1, 'last', FIRST_MS);
    let before = shownOf(definition, slice);
    // A viewer has what came over the line, with null for fields that were removed.
    let shown = before;
    for (let i = 0; i < VOTES; i++) {
      for (let votes = 1 + Math.floor(random() * 3); votes > 0; votes--) cast(slice, definition, random);
      const after = shownOf(definition, slice);
      const change = deltaOf(before, after);
      if (!change) continue;
      if (hasSameOptions(before, after)) {
        shown = withChange(shown, overTheLine(compactChange(before, after, change)));
        const kept = Object.entries(shown).filter(([field, value]) => value !== null || field in after);
        t.strictSame(Object.fromEntries(kept), after, `after ${i} changes`);
      } else shown = after;
      before = after;
    }
    t.equal(before.votes, slice.accounting.received);
    t.ok(slice.accounting.received >= VOTES);
  });
}

t.test('a vote changes at most 80 bytes', async (t) => {
  const random = seeded(2);
  for (const kind of ['single', 'motion'] as const) {
    const definition = { ...defined(kind), poll: 'annual-meeting' };
    const slice = newSlice('q', 1, 'last', FIRST_MS);
    for (let i = 0; i < VOTES; i++) cast(slice, definition, random);
    for (let i = 0; i < VOTES; i++) {
      const before = shownOf(definition, slice);
      cast(slice, definition, random);
      const after = shownOf(definition, slice);
      const change = deltaOf(before, after);
      // If somebody else leads now, that is said as well.
      if (!change?.options || Object.keys(change).some((field) => !FIGURES.includes(field))) continue;
      const bytes = JSON.stringify(compactChange(before, after, change)).length;
      t.ok(bytes <= 80, `${kind}: ${bytes} bytes`);
    }
  }
});

t.test('what cannot be added is sent whole, and a change that cannot be compact is sent in full', async (t) => {
  const result = (fields: object) => ({ poll: 'q', round: 1, options: [], ...fields }) as unknown as Result;
  const compact = (before: Result, after: Result) => compactChange(before, after, deltaOf(before, after) ?? {});
  t.strictSame(compact(result({ mean: 0.1, votes: 1 }), result({ mean: 0.2, votes: 2 })), {
    ...{ poll: 'q', round: 1, mean: 0.2, votes: 2 },
  });
  t.strictSame(compact(result({ at: null, votes: 1 }), result({ at: '2026-01-01T00:00:00.000Z', votes: 2 })), {
    ...{ poll: 'q', at: '2026-01-01T00:00:00.000Z', add: [[1, 2]] },
  });
  t.strictSame(compact(result({ tied: ['a'], votes: 1 }), result({ votes: 3 })), {
    ...{ poll: 'q', tied: null, add: [[2, 1]] },
  });
});

function defined(kind: (typeof KIND_NAMES)[number]): Definition {
  if (kind === 'rating' || kind === 'numeric') return define(kind, [], { min: 0, max: 10 });
  if (kind === 'text') return define(kind);
  if (kind === 'motion') return define(kind);
  return define(kind, KEYS, kind === 'quiz' ? { correct: ['b'] } : kind === 'points' ? { budget: 7 } : {});
}

/** Adds a random ballot, or replaces one. */
function cast(slice: Slice, definition: Definition, random: () => number): void {
  const choice = randomChoice(definition, random);
  const { accounting, tally } = slice;
  accounting.received++;
  slice.atMs += Math.floor(random() * 2_000);
  const replaced = random() < 0.3 ? tally.keys().next().value : undefined;
  if (replaced !== undefined) {
    shift(tally, replaced, -1);
    accounting.replaced++;
  } else accounting.counted++;
  shift(tally, choice, 1);
}

function shownOf(definition: Definition, slice: Slice): Result {
  const electorate = definition.entitled ? {} : { electorate: roll(1_000) };
  const poll = { ...pollOf(definition, electorate), status: 'open' as const };
  return overTheLine(resultOf(poll, [slice], slice.atMs));
}

function overTheLine<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

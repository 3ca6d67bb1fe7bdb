import { type Bundle, sumBundles } from '../../count/cast.ts';
import { leadersOf, type TieBreaker } from '../../rules/tie.ts';
import { formatWeight, ONE, type Weight } from '../../rules/weight.ts';
import { tooFewOptionsProblems } from '../choices/keys.ts';
import { formatPairs, parseGrades, readPairs } from '../choices/pairs.ts';
import type { Definition } from '../definition.ts';
import { Count } from '../figures/count.ts';
import type { Kind } from '../kind.ts';
import type { ScoreFigures } from './figures.ts';
import { settings } from './settings.ts';

/** The highest grade that a poll may allow. */
const MAX_GRADE = 100;

/**
 * A grade from `min` to `max` (default 0 to 5) for each option; options without a grade get the lowest. A choice is `a:5,b:0`.
 * With `score`, the option with the highest sum wins; with `star` (score, then automatic runoff), the two options with the
 * highest sums are compared, and the one that more voters grade higher wins. Counts are sums of grades.
 */
export const score: Kind<'score'> = {
  settings,

  complete(definition) {
    const { min = 0, max = 5, method = 'score' } = definition;
    return { ...definition, min, max, method };
  },

  problems({ options, min = 0, max = 5, method }) {
    const problems = tooFewOptionsProblems(options, 'a score poll');
    if (min < 0 || max > MAX_GRADE || max <= min) {
      problems.push(`min, max: must be from 0 to ${MAX_GRADE}, with min below max, not ${min} and ${max}`);
    }
    if (method !== 'score' && method !== 'star') problems.push('method: must be score or star in a score poll');
    return problems;
  },

  parse(text, { options, min = 0, max = 5 }) {
    const grades = parseGrades(text, options, min, max);
    return grades instanceof Map ? formatPairs(grades) : grades;
  },

  result(definition, bundles, { breaker }) {
    const { options, min = 0 } = definition;
    const ballots = bundles.map((bundle) => ({ ...bundle, grades: new Map(readPairs(bundle.choice)) }));
    const count = new Count();
    for (const { grades, heads, weight } of ballots) {
      for (const { key } of options) {
        const grade = grades.get(key) ?? min;
        count.add(key, heads * grade, weight * BigInt(grade));
      }
    }
    const { heads: voters } = sumBundles(bundles);
    const lines = count.lines(options, count.total, definition);
    const found = {
      options: lines.map((line) => ({ ...line, mean: voters === 0 ? null : count.heads(line.key) / voters })),
      method: definition.method,
    };
    if (definition.method !== 'star') return { ...found, ...count.leaders(options, breaker) };
    return { ...found, ...automaticRunoff(definition, ballots, count, breaker) };
  },
};

type Graded = Bundle & { readonly grades: ReadonlyMap<string, number> };

/**
 * The runoff of STAR voting. Ties are broken by the first steps of the Equal Vote Coalition's protocol: a tie for a place in
 * the runoff by the number of head-to-head wins against the other tied options, and a tie in the runoff by the higher sum of
 * grades. Remaining ties are left to the poll's tie-breaker.
 */
function automaticRunoff(
  definition: Definition<'score'>,
  ballots: readonly Graded[],
  count: Count,
  breaker: TieBreaker | undefined,
): Omit<ScoreFigures, 'options' | 'method'> {
  const keys = definition.options.map(({ key }) => key);
  const { min = 0 } = definition;
  const prefer = (a: string, b: string): Weight =>
    ballots.reduce(
      (sum, { grades, weight }) => ((grades.get(a) ?? min) > (grades.get(b) ?? min) ? sum + weight : sum),
      0n,
    );
  if (count.total.weight === 0n) return { winners: [] };

  const beats = (a: string, b: string): boolean => {
    const [votesFor, against] = [prefer(a, b), prefer(b, a)];
    return votesFor === against ? count.weight(a) > count.weight(b) : votesFor > against;
  };
  const finalists: string[] = [];
  while (finalists.length < 2) {
    const rest = keys.filter((key) => !finalists.includes(key));
    const level = highest(rest, (key) => count.weight(key));
    const vacant = 2 - finalists.length;
    if (level.length <= vacant) {
      finalists.push(...level);
      continue;
    }
    const wins = (key: string) => BigInt(level.filter((other) => prefer(key, other) > prefer(other, key)).length);
    const best = highest(level, wins);
    if (best.length <= vacant) finalists.push(...best);
    else if (breaker) finalists.push(best.reduce((a, b) => (breaker.place(b) < breaker.place(a) ? b : a)));
    else return withoutSecond(finalists, best, (a, b) => beats(a, b));
  }

  const [first, second] = finalists as [string, string];
  const votes = { [first]: prefer(first, second), [second]: prefer(second, first) };
  const figure = (weight: Weight) => (definition.weighted ? formatWeight(weight) : Number(weight / ONE));
  const ahead = highest(finalists, (key) => votes[key] ?? 0n);
  const decided = ahead.length > 1 ? highest(ahead, (key) => count.weight(key)) : ahead;
  const leaders = leadersOf(
    decided.map((key) => [key, 1n] as const),
    breaker,
  );
  return {
    finalists,
    runoff: finalists.map((key) => ({ key, preferredBy: figure(votes[key] ?? 0n) })),
    ...leaders,
  };
}

/**
 * The result if a tie for a place in the runoff is not broken. The tie does not matter if the other finalist beats all tied
 * options.
 */
function withoutSecond(
  finalists: readonly string[],
  level: readonly string[],
  beats: (a: string, b: string) => boolean,
) {
  const [first] = finalists;
  if (first !== undefined && level.every((key) => beats(first, key))) return { finalists, level, winners: [first] };
  return { finalists, winners: [], unresolved: level };
}

/** The keys with the highest value. */
function highest(keys: readonly string[], worth: (key: string) => bigint): string[] {
  let best: bigint | undefined;
  let found: string[] = [];
  for (const key of keys) {
    const value = worth(key);
    if (best === undefined || value > best) {
      best = value;
      found = [];
    }
    if (value === best) found.push(key);
  }
  return found;
}

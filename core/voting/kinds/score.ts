import { type Bundle, sumBundles } from '../cast.ts';
import type { Definition } from '../poll.ts';
import { reject } from '../rejection.ts';
import { type Leaders, leadersOf, type TieBreaker } from '../tie.ts';
import { formatWeight, ONE, type Weight } from '../weight.ts';
import { Count } from './count.ts';
import type { Kind } from './kind.ts';
import { formatPairs, parsePairs, readPairs } from './pairs.ts';
import { atLeastTwo } from './single.ts';

/** The highest grade there may be. */
const MAX_GRADE = 100;

/**
 * A grade from `min` to `max` (0 to 5) for each option; an option without one has the lowest. A choice is `a:5,b:0`. By
 * `score` the highest sum wins; by `star` (score, then automatic runoff) the one of the two highest that more voters
 * grade higher. Counts are sums of grades.
 */
export const score: Kind = {
  settings: ['min', 'max', 'method'],

  complete(definition) {
    const { min = 0, max = 5, method = 'score' } = definition;
    return { ...definition, min, max, method };
  },

  problems({ options, min = 0, max = 5, method }) {
    const problems = atLeastTwo(options, 'a poll about scores');
    if (min < 0 || max > MAX_GRADE || max <= min) {
      problems.push(`min, max: from 0 to ${MAX_GRADE}, min below max, not ${min} and ${max}`);
    }
    if (method !== 'score' && method !== 'star') problems.push('method: scores are counted by score or star');
    return problems;
  },

  parse(text, { options, min = 0, max = 5 }) {
    const grades = parsePairs(
      text,
      options.map(({ key }) => key),
    );
    if (!(grades instanceof Map)) return grades;
    if (grades.size === 0) return reject('too-few-options');
    for (const grade of grades.values()) if (grade < min || grade > max) return reject('out-of-range');
    return formatPairs(grades);
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
 * The runoff of STAR voting. Ties are broken as the Equal Vote Coalition's protocol begins: a tie for the second place of the
 * runoff by who is preferred, head to head, by more voters to the others that are tied; a tie in the runoff by the higher
 * sum. What is level after that is a tie, for the poll's tie-breaker.
 */
function automaticRunoff(definition: Definition, ballots: readonly Graded[], count: Count, breaker?: TieBreaker) {
  const keys = definition.options.map(({ key }) => key);
  const { min = 0 } = definition;
  const prefer = (a: string, b: string): Weight =>
    ballots.reduce(
      (sum, { grades, weight }) => ((grades.get(a) ?? min) > (grades.get(b) ?? min) ? sum + weight : sum),
      0n,
    );
  if (count.total.weight === 0n) return { winners: [] };

  const beats = (a: string, b: string): boolean => {
    const [pro, contra] = [prefer(a, b), prefer(b, a)];
    return pro === contra ? count.weight(a) > count.weight(b) : pro > contra;
  };
  const finalists: string[] = [];
  while (finalists.length < 2) {
    const rest = keys.filter((key) => !finalists.includes(key));
    const level = highest(rest, (key) => count.weight(key));
    const open = 2 - finalists.length;
    if (level.length <= open) {
      finalists.push(...level);
      continue;
    }
    const wins = (key: string) => BigInt(level.filter((other) => prefer(key, other) > prefer(other, key)).length);
    const best = highest(level, wins);
    if (best.length <= open) finalists.push(...best);
    else if (breaker) finalists.push(best.reduce((a, b) => (breaker.place(b) < breaker.place(a) ? b : a)));
    else return withoutSecond(finalists, best, (a, b) => beats(a, b));
  }

  const [first, second] = finalists as [string, string];
  const votes = { [first]: prefer(first, second), [second]: prefer(second, first) };
  const figure = (weight: Weight) => (definition.weighted ? formatWeight(weight) : Number(weight / ONE));
  const ahead = highest(finalists, (key) => votes[key] ?? 0n);
  const decided = ahead.length > 1 ? highest(ahead, (key) => count.weight(key)) : ahead;
  const leaders: Leaders = leadersOf(
    decided.map((key) => [key, 1n] as const),
    breaker,
  );
  return {
    finalists,
    runoff: finalists.map((key) => ({ key, preferredBy: figure(votes[key] ?? 0n) })),
    ...leaders,
  };
}

/** Nobody knows who comes second; it does not matter where the first wins against all of them. */
function withoutSecond(
  finalists: readonly string[],
  level: readonly string[],
  beats: (a: string, b: string) => boolean,
) {
  const [first] = finalists;
  if (first !== undefined && level.every((key) => beats(first, key))) return { finalists, level, winners: [first] };
  return { finalists, winners: [], unresolved: level };
}

/** Those with the highest value. */
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

import { reject } from '../../rules/rejection.ts';
import { fullestSpread } from '../choices/full.ts';
import { seatProblems, tooFewOptionsProblems } from '../choices/keys.ts';
import { formatPairs, parsePairs, readPairs } from '../choices/pairs.ts';
import { Count } from '../figures/count.ts';
import type { Kind } from '../kind.ts';
import { settings } from './settings.ts';

const MAX_BUDGET = 1_000_000;

/**
 * Voters spread a budget of points over the options; with a `max` of points per option, this is cumulative voting. A choice is
 * the points per option, `a:3,b:7`; options without points are left out.
 */
export const points: Kind<'points'> = {
  settings,
  breaksTies: true,
  complete: (definition) => ({ ...definition, budget: definition.budget ?? 10, spend: definition.spend ?? 'up-to' }),

  problems({ options, budget = 10, max = budget, seats, spend }) {
    const problems = tooFewOptionsProblems(options, 'a points poll');
    if (budget < 1 || budget > MAX_BUDGET) problems.push(`budget: must be from 1 to ${MAX_BUDGET}, not ${budget}`);
    if (max < 1 || max > budget) problems.push(`max: must be from 1 to the budget (${budget}), not ${max}`);
    if (spend === 'all' && max * options.length < budget)
      problems.push(
        `max: ${options.length} options with at most ${max} points each cannot use up the budget (${budget})`,
      );
    problems.push(...seatProblems(seats, options.length));
    return problems;
  },

  parse(text, { options, budget = 10, max = budget, spend }) {
    const given = parsePairs(text, options);
    if (!(given instanceof Map)) return given;
    let spent = 0;
    for (const [key, value] of given) {
      if (value < 0 || value > max) return reject('out-of-range');
      if (value === 0) given.delete(key);
      spent += value;
    }
    if (spent > budget) return reject('over-budget');
    if (spent === 0 || (spend === 'all' && spent < budget)) return reject('under-budget');
    return formatPairs(given);
  },

  fullest: ({ options, budget = 10, max = budget }) => fullestSpread(options, budget, max),

  result(definition, bundles, context) {
    const count = new Count();
    const voters = new Count();
    for (const { choice, heads, weight } of bundles) {
      for (const [key, value] of readPairs(choice)) {
        count.add(key, heads * value, weight * BigInt(value));
        voters.add(key, heads, weight);
      }
    }
    const lines = count.lines(definition.options, count.total, definition);
    return {
      options: lines.map((line) => ({ ...line, voters: voters.heads(line.key) })),
      points: count.total.heads,
      seats: definition.seats,
      ...count.leaders(definition.options, context, definition.seats),
    };
  },
};

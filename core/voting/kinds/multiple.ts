import { reject } from '../rejection.ts';
import { total } from '../tally.ts';
import { type Kind, share } from './kind.ts';

/** Several options at once, at least `min` and at most `max`. A choice is the keys in the poll's order: `a,c`. */
export const multiple: Kind = {
  complete: (definition) => ({
    ...definition,
    min: definition.min ?? 1,
    max: definition.max ?? definition.options.length,
  }),

  problems({ options, min = 1, max = options.length }) {
    const problems: string[] = [];
    if (options.length < 2) problems.push('options: a multiple-choice poll needs at least 2');
    if (min < 1) problems.push(`min: must be at least 1, not ${min}`);
    if (max < min) problems.push(`max: must be at least min (${min}), not ${max}`);
    if (max > options.length) problems.push(`max: there are only ${options.length} options, not ${max}`);
    return problems;
  },

  parse(text, { options, min = 1, max = options.length }) {
    const keys = text.split(',', options.length + 1).map((key) => key.trim());
    const chosen = new Set(keys);
    if (keys.length > options.length) return reject('too-many-options');
    const known = options.filter((option) => chosen.has(option.key)).map((option) => option.key);
    if (known.length !== chosen.size) return reject('unknown-option');
    if (chosen.size !== keys.length) return reject('duplicate-option');
    if (known.length < min) return reject('too-few-options');
    if (known.length > max) return reject('too-many-options');
    return known.join(',');
  },

  result({ options }, tally) {
    const ballots = total(tally);
    const counts = new Map<string, number>();
    let selections = 0;
    for (const [choice, weight] of tally) {
      for (const key of choice.split(',')) {
        counts.set(key, (counts.get(key) ?? 0) + weight);
        selections += weight;
      }
    }
    return {
      options: options.map(({ key, label }) => {
        const count = counts.get(key) ?? 0;
        return { key, label, count, share: share(count, ballots) };
      }),
      selections,
    };
  },
};

import { reject } from '../rejection.ts';
import { total } from '../tally.ts';
import { type Kind, share } from './kind.ts';

/** One option out of several. A choice is the option's key: `b`. */
export const single: Kind = {
  complete: (definition) => ({ ...definition, min: undefined, max: undefined }),
  problems: (definition) => (definition.options.length < 2 ? ['options: a single-choice poll needs at least 2'] : []),
  parse: (text, { options }) => (options.some((option) => option.key === text) ? text : reject('unknown-option')),
  result({ options }, tally) {
    const ballots = total(tally);
    return {
      options: options.map(({ key, label }) => {
        const count = tally.get(key) ?? 0;
        return { key, label, count, share: share(count, ballots) };
      }),
    };
  },
};

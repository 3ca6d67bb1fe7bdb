import { type Bundle, sumBundles } from '../../count/cast.ts';
import type { Common } from '../../rules/settings.ts';
import type { Contest } from '../../rules/tie.ts';
import { withoutNone } from '../choices/keys.ts';
import { Count } from './count.ts';
import type { OptionFigures } from './option-result.ts';

/** The result of a poll whose ballots are single keys. "None of the above" is counted, but never leads. */
export function figuresByKey(
  definition: Common & { readonly none?: boolean },
  bundles: readonly Bundle[],
  contest: Contest,
): OptionFigures {
  const count = new Count();
  for (const { choice, heads, weight } of bundles) count.add(choice, heads, weight);
  const { options, none } = definition;
  return {
    options: count.lines(options, sumBundles(bundles), definition),
    ...count.leaders(withoutNone(options, none), contest),
  };
}

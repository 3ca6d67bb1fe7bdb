import { type Bundle, sumBundles } from '../count/cast.ts';
import type { Definition } from '../kinds/definition.ts';
import type { OptionResult } from '../kinds/figures/option-result.ts';
import { kindOf } from '../kinds/index.ts';
import type { ResultContext } from '../kinds/kind.ts';
import { MIN_GROUP } from '../poll/electorate.ts';

/** The result of one group of voters. */
export interface GroupResult {
  /** Null for voters without a group, and for small groups that were merged. */
  readonly group: string | null;
  readonly ballots: number;
  readonly options: readonly OptionResult[];
}

/** The result of each group, and of the voters without a group. */
export function groupResults(
  definition: Definition,
  bundles: readonly Bundle[],
  context: ResultContext,
): readonly GroupResult[] {
  return resultsOf(definition, byGroupOf(bundles), context);
}

/** The group results that may be shown: in a secret poll, small groups are merged. */
export function visibleGroups(
  definition: Definition,
  bundles: readonly Bundle[],
  context: ResultContext,
): readonly GroupResult[] {
  const { secrecy, minGroup = MIN_GROUP } = definition;
  if (secrecy !== 'secret') return groupResults(definition, bundles, context);
  return resultsOf(definition, mergeSmallGroups(byGroupOf(bundles), minGroup), context);
}

function resultsOf(
  definition: Definition,
  groups: ReadonlyMap<string | null, Bundle[]>,
  context: ResultContext,
): readonly GroupResult[] {
  const kind = kindOf(definition);
  return [...groups]
    .sort(([a], [b]) => ((a ?? '\uffff') < (b ?? '\uffff') ? -1 : 1))
    .map(([group, own]) => {
      const options = kind.lines?.(definition, own) ?? kind.result(definition, own, context).options;
      return { group, ballots: sumBundles(own).heads, options };
    });
}

function byGroupOf(bundles: readonly Bundle[]): Map<string | null, Bundle[]> {
  const byGroup = new Map<string | null, Bundle[]>();
  for (const bundle of bundles) {
    const group = bundle.group ?? null;
    const known = byGroup.get(group);
    if (known) known.push(bundle);
    else byGroup.set(group, [bundle]);
  }
  return byGroup;
}

/**
 * Merges the voters without a group and all groups below the minimum size, and then the next smallest groups until the merged
 * group is large enough. A merged group that is too small cannot simply be left out: its result could be derived by subtracting
 * the other groups from the total.
 */
function mergeSmallGroups(groups: ReadonlyMap<string | null, Bundle[]>, minimum: number): Map<string | null, Bundle[]> {
  const sorted = [...groups].sort(([, a], [, b]) => sumBundles(a).heads - sumBundles(b).heads);
  const rest: Bundle[] = [];
  const kept = new Map<string | null, Bundle[]>();
  for (const [group, bundles] of sorted) {
    const others = sumBundles(rest).heads;
    const isSmall = group === null || sumBundles(bundles).heads < minimum || (others > 0 && others < minimum);
    if (isSmall) rest.push(...bundles);
    else kept.set(group, bundles);
  }
  const others = sumBundles(rest).heads;
  // Even the merged group is too small, so no groups are shown.
  if (others > 0 && others < minimum) return new Map();
  return others > 0 ? kept.set(null, rest) : kept;
}

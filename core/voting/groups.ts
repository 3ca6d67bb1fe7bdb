import { type Bundle, sumBundles } from './cast.ts';
import { MIN_GROUP } from './electorate.ts';
import { kinds } from './kinds/index.ts';
import type { Circumstances, OptionResult } from './kinds/kind.ts';
import type { Definition } from './poll.ts';

/** How a group of voters decided by itself. */
export interface GroupResult {
  /** Null: voters of no group, or groups too small to be told apart. */
  readonly group: string | null;
  readonly ballots: number;
  readonly options: readonly OptionResult[];
}

/** The result of each group, and of those who have none. */
export function groupResults(
  definition: Definition,
  bundles: readonly Bundle[],
  circumstances: Circumstances,
): readonly GroupResult[] {
  return resultsOf(definition, byGroupOf(bundles), circumstances);
}

/** The same as it may be shown: in a secret poll without small groups. */
export function visibleGroups(
  definition: Definition,
  bundles: readonly Bundle[],
  circumstances: Circumstances,
): readonly GroupResult[] {
  const { secrecy, minGroup = MIN_GROUP } = definition;
  if (secrecy !== 'secret') return groupResults(definition, bundles, circumstances);
  return resultsOf(definition, withoutSmall(byGroupOf(bundles), minGroup), circumstances);
}

function resultsOf(
  definition: Definition,
  groups: ReadonlyMap<string | null, Bundle[]>,
  circumstances: Circumstances,
): readonly GroupResult[] {
  const { kind } = definition;
  return [...groups]
    .sort(([a], [b]) => ((a ?? '\uffff') < (b ?? '\uffff') ? -1 : 1))
    .map(([group, own]) => {
      const { options } = kinds[kind].result(definition, own, circumstances);
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
 * Groups below the least size put together, with the next smallest ones until nobody can be told apart by subtraction
 * either.
 */
function withoutSmall(groups: ReadonlyMap<string | null, Bundle[]>, least: number): Map<string | null, Bundle[]> {
  const sorted = [...groups].sort(([, a], [, b]) => sumBundles(a).heads - sumBundles(b).heads);
  const rest: Bundle[] = [];
  const kept = new Map<string | null, Bundle[]>();
  for (const [group, bundles] of sorted) {
    const others = sumBundles(rest).heads;
    const isSmall = group === null || sumBundles(bundles).heads < least || (others > 0 && others < least);
    if (isSmall) rest.push(...bundles);
    else kept.set(group, bundles);
  }
  const others = sumBundles(rest).heads;
  // Too few to be told apart even together: then nothing is told by group.
  if (others > 0 && others < least) return new Map();
  return others > 0 ? kept.set(null, rest) : kept;
}

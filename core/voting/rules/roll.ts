import { formatWeight, ONE, parseWeight } from './weight.ts';

/** The number and total weight of voters, overall and by group. Voters without a group only count in the overall sums. */
export interface Roll {
  readonly heads: number;
  /** Exact, as text. */
  readonly weight: string;
  readonly groups: Readonly<Record<string, { readonly heads: number; readonly weight: string }>>;
}

/** Someone who may vote: a device itself, or a mandate that it carries. */
export interface Voter {
  /** The device's id, or `<device>/<mandate>`. */
  readonly voter: string;
  /** As text; 1 if absent. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
}

/** The roll of the given voters. */
export function rollOf(voters: Iterable<Voter>): Roll {
  let heads = 0;
  let sum = 0n;
  const groups = new Map<string, { heads: number; sum: bigint }>();
  for (const { weight: text, group } of voters) {
    const weight = text === undefined ? ONE : (parseWeight(text) ?? ONE);
    heads++;
    sum += weight;
    if (group === undefined) continue;
    const known = groups.get(group) ?? { heads: 0, sum: 0n };
    groups.set(group, { heads: known.heads + 1, sum: known.sum + weight });
  }
  return {
    heads,
    weight: formatWeight(sum),
    groups: Object.fromEntries(
      [...groups].map(([group, { heads, sum }]) => [group, { heads, weight: formatWeight(sum) }]),
    ),
  };
}

/** The sum of several rolls, such as those of all brokers. */
export function sumRolls(rolls: Iterable<Roll>): Roll {
  const all = [...rolls];
  const names = new Set(all.flatMap(({ groups }) => Object.keys(groups)));
  const plus = (parts: readonly { readonly heads: number; readonly weight: string }[]) => ({
    heads: parts.reduce((sum, part) => sum + part.heads, 0),
    weight: formatWeight(parts.reduce((sum, part) => sum + (parseWeight(part.weight) ?? 0n), 0n)),
  });
  const groups = [...names].map((name) => [name, plus(all.flatMap(({ groups }) => groups[name] ?? []))] as const);
  return { ...plus(all), groups: Object.fromEntries(groups) };
}

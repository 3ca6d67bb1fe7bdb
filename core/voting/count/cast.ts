import { ONE, parseWeight, type Weight } from '../rules/weight.ts';
import type { Choice } from './tally.ts';

/**
 * Those attributes of a cast vote that the poll uses. They are stored with the choice in the log and in the tally, so that the
 * tally alone is enough to compute weights, groups and late votes.
 */
export interface CastAttributes {
  /** The voter’s weight, as text; 1 if absent. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
  /** True if the vote was cast before the close but delivered after it. */
  readonly late?: boolean | undefined;
  /** For pulse polls: when the vote was received, in seconds since 1970. */
  readonly second?: number | undefined;
}

/** Identical ballots: their number and total weight. */
export interface Bundle {
  readonly choice: Choice;
  readonly heads: number;
  /** The total weight of these ballots. */
  readonly weight: Weight;
  readonly group?: string | undefined;
  readonly late?: boolean | undefined;
  readonly second?: number | undefined;
}

/** The maximum length of a cast in bytes. It is limited because stores use casts as keys. */
export const MAX_CAST_BYTES = 1024;

/**
 * The maximum length of a choice in bytes: what a cast has room for besides the longest attributes, which are a weight of 19
 * characters, a group of 64, a second of 10 and the mark of a late vote, each after a separator and most after a letter.
 */
export const MAX_CHOICE_BYTES =
  MAX_CAST_BYTES - '|w'.length - 19 - '|g'.length - 64 - '|s'.length - 10 - '|late'.length;

/** Separates a choice from its attributes. No choice contains this character. */
export const CAST_SEPARATOR = '|';

/**
 * A cast: a choice and its attributes as one text, such as `b|w12.5|gboard` or `yes|late`. Without attributes, it is just the
 * choice.
 */
export function castOf(choice: Choice, { weight, group, late, second }: CastAttributes): string {
  let cast = choice;
  if (weight !== undefined && weight !== '1') cast += `${CAST_SEPARATOR}w${weight}`;
  if (group !== undefined) cast += `${CAST_SEPARATOR}g${group}`;
  if (second !== undefined) cast += `${CAST_SEPARATOR}s${second}`;
  if (late) cast += `${CAST_SEPARATOR}late`;
  return cast;
}

/** The inverse of `castOf`. */
export function readCast(cast: string): CastAttributes & { readonly choice: Choice } {
  if (!cast.includes(CAST_SEPARATOR)) return { choice: cast };
  const [choice = '', ...marks] = cast.split(CAST_SEPARATOR);
  const attributes: { -readonly [Field in keyof CastAttributes]: CastAttributes[Field] } = {};
  for (const mark of marks) {
    if (mark === 'late') attributes.late = true;
    else if (mark.startsWith('w')) attributes.weight = mark.slice(1);
    else if (mark.startsWith('g')) attributes.group = mark.slice(1);
    else if (mark.startsWith('s')) attributes.second = Number(mark.slice(1));
  }
  return { choice, ...attributes };
}

/** The ballots of a tally, as one bundle for each distinct cast. */
export function bundlesOf(tally: ReadonlyMap<string, number>): Bundle[] {
  const bundles: Bundle[] = [];
  // Many voters share a few weights, so each weight is parsed only once.
  const weights = new Map<string, Weight>();
  const weightOf = (text: string): Weight => {
    const known = weights.get(text) ?? parseWeight(text) ?? ONE;
    weights.set(text, known);
    return known;
  };
  for (const [cast, heads] of tally) {
    if (!cast.includes(CAST_SEPARATOR)) {
      bundles.push({ choice: cast, heads, weight: BigInt(heads) * ONE });
      continue;
    }
    const { choice, weight, group, late, second } = readCast(cast);
    const one = weight === undefined ? ONE : weightOf(weight);
    bundles.push({ choice, heads, weight: BigInt(heads) * one, group, late, second });
  }
  return bundles;
}

/** The bundles cast after `sinceMs` (ms since 1970), for polls whose votes expire. */
export function bundlesCastSince(bundles: readonly Bundle[], sinceMs: number): Bundle[] {
  return bundles.filter(({ second = 0 }) => second * 1_000 > sinceMs);
}

/** The total number and weight of ballots in bundles. */
export function sumBundles(bundles: Iterable<Bundle>): { heads: number; weight: Weight } {
  let heads = 0;
  let weight = 0n;
  for (const bundle of bundles) {
    heads += bundle.heads;
    weight += bundle.weight;
  }
  return { heads, weight };
}

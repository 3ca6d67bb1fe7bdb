import type { Choice } from './tally.ts';
import { ONE, parseWeight, type Weight } from './weight.ts';

/**
 * What a choice was cast with, as far as the poll asks for it. It travels with the choice, on the log and in the tally,
 * so that weights, groups and late votes are figures of the tally as everything else is.
 */
export interface Standing {
  /** The voter's weight, as text; absent: 1. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
  /** Pressed before the close, delivered after it. */
  readonly late?: boolean | undefined;
  /** pulse: the second in which it was received, since 1970. */
  readonly second?: number | undefined;
}

/** Ballots that are alike: how many, and what together they weigh. */
export interface Bundle {
  readonly choice: Choice;
  readonly heads: number;
  /** The weight of all of them. */
  readonly weight: Weight;
  readonly group?: string | undefined;
  readonly late?: boolean | undefined;
  readonly second?: number | undefined;
}

/** The longest cast, bytes: stores keep casts as keys. */
export const MAX_CAST_BYTES = 1024;

/** Stands between a choice and its standing; no choice holds one. */
export const MARK = '|';

/** The choice with its standing as one text: `b`, `b|w12.5|gboard`, `yes|late`. Without a standing, the choice itself. */
export function castOf(choice: Choice, { weight, group, late, second }: Standing): string {
  let cast = choice;
  if (weight !== undefined && weight !== '1') cast += `${MARK}w${weight}`;
  if (group !== undefined) cast += `${MARK}g${group}`;
  if (second !== undefined) cast += `${MARK}s${second}`;
  if (late) cast += `${MARK}late`;
  return cast;
}

/** The inverse of `castOf`. */
export function readCast(cast: string): Standing & { readonly choice: Choice } {
  if (!cast.includes(MARK)) return { choice: cast };
  const [choice = '', ...marks] = cast.split(MARK);
  const standing: { -readonly [Field in keyof Standing]: Standing[Field] } = {};
  for (const mark of marks) {
    if (mark === 'late') standing.late = true;
    else if (mark.startsWith('w')) standing.weight = mark.slice(1);
    else if (mark.startsWith('g')) standing.group = mark.slice(1);
    else if (mark.startsWith('s')) standing.second = Number(mark.slice(1));
  }
  return { choice, ...standing };
}

/** The ballots of a tally, in bundles. */
export function bundlesOf(tally: ReadonlyMap<string, number>): Bundle[] {
  const bundles: Bundle[] = [];
  // Many voters, few weights: each is read once.
  const weights = new Map<string, Weight>();
  const weightOf = (text: string): Weight => {
    const known = weights.get(text) ?? parseWeight(text) ?? ONE;
    weights.set(text, known);
    return known;
  };
  for (const [cast, heads] of tally) {
    if (!cast.includes(MARK)) {
      bundles.push({ choice: cast, heads, weight: BigInt(heads) * ONE });
      continue;
    }
    const { choice, weight, group, late, second } = readCast(cast);
    const one = weight === undefined ? ONE : weightOf(weight);
    bundles.push({ choice, heads, weight: BigInt(heads) * one, group, late, second });
  }
  return bundles;
}

/** pulse: the bundles that were pressed after an instant, ms since 1970. */
export function pressedSince(bundles: readonly Bundle[], sinceMs: number): Bundle[] {
  return bundles.filter(({ second = 0 }) => second * 1_000 > sinceMs);
}

/** Heads and weight of bundles. */
export function sumBundles(bundles: Iterable<Bundle>): { heads: number; weight: Weight } {
  let heads = 0;
  let weight = 0n;
  for (const bundle of bundles) {
    heads += bundle.heads;
    weight += bundle.weight;
  }
  return { heads, weight };
}

import { leadersOf, type TieBreaker } from '../../rules/tie.ts';
import { ONE } from '../../rules/weight.ts';
import type { Election } from './ballots.ts';
import type { RankingSettings } from './settings.ts';

/**
 * The Borda count. With n options, `standard` gives the first n-1 points, the next n-2 and so on, and unranked options get
 * none; `averaged` shares the remaining points equally among the unranked options; `modified` (de Borda Institute) gives the
 * lowest ranked option 1 point, the option above it 2 and so on, so that a short ballot gives few points; `dowdall` (Nauru)
 * gives 1, 1/2, 1/3 and so on. Options that share a rank get the average of the points of the places that they occupy.
 */
export function borda({ keys, candidates, rankings, definition }: Election, breaker: TieBreaker | undefined) {
  const { variant = 'standard' } = definition;
  const n = candidates.length;
  // Points are counted as whole multiples of 1/unit, so that sums are exact: averages divide by up to n, and dowdall’s points
  // by up to n before that.
  const multiple = leastCommonMultiple(n);
  const unit = variant === 'dowdall' ? multiple * multiple : 2n * multiple;
  const points = new Array<bigint>(keys.length).fill(0n);
  const worths = Array.from({ length: n + 1 }, (_, m) =>
    Array.from({ length: n }, (_, place) => worth(variant, place, m, n, unit)),
  );
  /** Gives the options from `first` up to `end` the average of the points of the places from `from` on. */
  const add = (options: readonly number[], first: number, end: number, from: number, m: number, weight: bigint) => {
    let sum = 0n;
    for (let i = 0; i < end - first; i++) sum += worths[m]?.[from + i] ?? 0n;
    const average = end - first > 1 ? sum / BigInt(end - first) : sum;
    for (let i = first; i < end; i++) {
      const option = options[i] as number;
      points[option] = (points[option] as bigint) + average * weight;
    }
  };
  for (const { ranks, isEqual, weight } of rankings) {
    const m = ranks.length;
    for (let first = 0, end = 1; first < m; first = end, end++) {
      while (isEqual?.[end]) end++;
      add(ranks, first, end, first, m, weight);
    }
    if (variant !== 'averaged' || m === n) continue;
    const ranked = new Set(ranks);
    const unranked = candidates.filter((option) => !ranked.has(option));
    add(unranked, 0, unranked.length, m, m, weight);
  }
  const leaders = leadersOf(
    candidates.map((option) => [keys[option] as string, points[option] as bigint] as const),
    breaker,
  );
  const scale = Number(unit * ONE);
  return { variant, points: keys.map((key, i) => ({ key, points: Number(points[i]) / scale })), ...leaders };
}

function worth(
  variant: NonNullable<RankingSettings['variant']>,
  place: number,
  m: number,
  n: number,
  unit: bigint,
): bigint {
  if (variant === 'dowdall') return unit / BigInt(place + 1);
  return unit * BigInt(variant === 'modified' ? m - place : n - 1 - place);
}

/** The least common multiple of 1 to n. */
function leastCommonMultiple(n: number): bigint {
  let multiple = 1n;
  for (let k = 2n; k <= n; k++) multiple = (multiple / greatestCommonDivisor(multiple, k)) * k;
  return multiple;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

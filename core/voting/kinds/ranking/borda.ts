import { leadersOf, type TieBreaker } from '../../rules/tie.ts';
import { ONE } from '../../rules/weight.ts';
import type { Election } from './ballots.ts';
import type { RankingSettings } from './settings.ts';

/**
 * The Borda count. With n options, `standard` gives the first n-1 points, the next n-2 and so on, and unranked options get
 * none; `averaged` shares the remaining points equally among the unranked options; `modified` (de Borda Institute) gives the
 * lowest ranked option 1 point, the option above it 2 and so on, so that a short ballot gives few points; `dowdall` (Nauru)
 * gives 1, 1/2, 1/3 and so on.
 */
export function borda({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
  const { variant = 'standard' } = definition;
  const n = keys.length;
  // Points are counted as whole multiples of 1/unit, so that sums are exact. For dowdall, `unit` is the least common multiple
  // of 1 to n; otherwise it is 2, because averages may be halves.
  const unit = variant === 'dowdall' ? leastCommonMultiple(n) : 2n;
  const points = new Array<bigint>(n).fill(0n);
  for (const { ranks, weight } of rankings) {
    const m = ranks.length;
    for (const [place, option] of ranks.entries()) {
      points[option] = (points[option] as bigint) + worth(variant, place, m, n, unit) * weight;
    }
    if (variant !== 'averaged' || m === n) continue;
    const ranked = new Set(ranks);
    // Places m to n-1 are worth n-1-m points down to 0, on average half of n-1-m. In units of 1/2, this is n-1-m.
    for (let option = 0; option < n; option++) {
      if (!ranked.has(option)) points[option] = (points[option] as bigint) + BigInt(n - 1 - m) * weight;
    }
  }
  const leaders = leadersOf(
    keys.map((key, i) => [key, points[i] as bigint] as const),
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

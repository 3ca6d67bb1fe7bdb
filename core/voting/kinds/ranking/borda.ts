import { leadersOf, type TieBreaker } from '../../tie.ts';
import { ONE } from '../../weight.ts';
import type { Election } from './ballots.ts';

/**
 * The Borda count. Of n options, `standard` gives the first n-1 points, the next n-2 and so on, unranked ones none;
 * `averaged` lets unranked ones share what is left evenly; `modified` (de Borda Institute) gives the last that is ranked
 * 1, the one above 2 and so on, so that a short ballot gives little; `dowdall` (Nauru) gives 1, 1/2, 1/3, …
 */
export function borda({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
  const { variant = 'standard' } = definition;
  const n = keys.length;
  // Points are whole numbers of this part of a point: halves for averages, for 1/k whatever all k divide.
  const unit = variant === 'dowdall' ? leastCommonMultiple(n) : 2n;
  const points = new Array<bigint>(n).fill(0n);
  for (const { ranks, weight } of rankings) {
    const m = ranks.length;
    for (const [place, option] of ranks.entries()) {
      points[option] = (points[option] as bigint) + worth(variant, place, m, n, unit) * weight;
    }
    if (variant !== 'averaged' || m === n) continue;
    const ranked = new Set(ranks);
    // The places from m to n-1 are worth n-1-m down to 0: on average half of the first.
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

function worth(variant: string, place: number, m: number, n: number, unit: bigint): bigint {
  if (variant === 'dowdall') return unit / BigInt(place + 1);
  return unit * BigInt(variant === 'modified' ? m - place : n - 1 - place);
}

/** Of 1 to n. */
function leastCommonMultiple(n: number): bigint {
  let multiple = 1n;
  for (let k = 2n; k <= n; k++) multiple = (multiple / divisor(multiple, k)) * k;
  return multiple;
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

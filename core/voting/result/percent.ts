import { parseShare } from '../rules/share.ts';
import type { HiddenResult, OpenResult } from './result.ts';

/** The most decimal places that a percentage is shown with. */
const MAX_DECIMALS = 6;

/** The shares, from 0 to 1, that the majority and the quorum of a result demand. */
export function thresholdsIn(result: Pick<OpenResult, 'verdict'> | HiddenResult): number[] {
  const { majority = [], quorum = [] } = ('verdict' in result && result.verdict) || {};
  return [...majority, ...quorum].flatMap(({ share }) => {
    const threshold = parseShare(share ?? '');
    return threshold ? [Number(threshold.part) / Number(threshold.whole)] : [];
  });
}

/**
 * How many decimal places a percentage needs, so that rounding does not move it onto or across a threshold shown next to it:
 * 66.666 % of a two-thirds majority that was missed is not shown as 66.7 %.
 *
 * @param share from 0 to 1
 * @param thresholds from 0 to 1
 */
export function decimalsOf(share: number, thresholds: readonly number[], least = 1): number {
  for (let decimals = least; decimals < MAX_DECIMALS; decimals++) {
    const rounded = Number((100 * share).toFixed(decimals));
    const isKept = (threshold: number) => Math.sign(share - threshold) === Math.sign(rounded - 100 * threshold);
    if (thresholds.every((threshold) => share === threshold || isKept(threshold))) return decimals;
  }
  return MAX_DECIMALS;
}

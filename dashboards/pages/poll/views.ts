import type { Definition } from '../../../core/voting/kinds/definition.ts';
import type { OpenResult, Result } from '../../../core/voting/result/result.ts';
import type { Drawing, View } from '../charts/drawing.ts';
import { kindChartOf } from '../kinds/index.ts';

/** The drawings that a poll’s kind offers for its result, the default first. */
export function drawingsOf(result: OpenResult, definition: Partial<Definition> = {}): readonly Drawing[] {
  return kindChartOf(result).drawings(result, definition);
}

/** The views that fit a result, the default first: those of its kind, then those of its rules. */
export function viewsOf(result: Result, has: { readonly leaderboard: boolean; readonly join: boolean }): View[] {
  const join: View[] = has.join ? ['join'] : [];
  if (result.hidden) return [kindChartOf(result).hiddenView ?? 'bars', ...join];
  const { verdict, groups = [], round } = result;
  const more: readonly (readonly [View, boolean])[] = [
    ['leaderboard', has.leaderboard],
    ['verdict', verdict !== undefined],
    ['groups', groups.length > 0],
    ['timeline', round > 0],
  ];
  return [
    ...drawingsOf(result).map(({ view }) => view),
    ...more.filter(([, isShown]) => isShown).map(([view]) => view),
    ...join,
  ];
}

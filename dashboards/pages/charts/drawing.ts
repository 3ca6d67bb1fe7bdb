import type { VNode } from 'preact';
import type { Definition, KindName } from '../../../core/voting/kinds/definition.ts';
import type { OpenResult, Result } from '../../../core/voting/result/result.ts';

/** The views of a result. */
export type View =
  | 'bars'
  | 'distribution'
  | 'items'
  | 'rounds'
  | 'seats'
  | 'points'
  | 'matrix'
  | 'runoff'
  | 'cloud'
  | 'leaderboard'
  | 'groups'
  | 'verdict'
  | 'timeline'
  | 'join';

/** One view of a result. */
export interface Drawing {
  readonly view: View;
  /** The number of rounds, if the view shows one round at a time. */
  readonly steps?: number;
  /** @param step index of the round, from 0 */
  draw(step: number): VNode;
}

/** How results of a kind are drawn. */
export interface KindChart<Name extends KindName = KindName> {
  /** The drawings of a result, the default first. @param question the question’s settings, as far as they are known */
  drawings(result: OpenResult<Name>, question: Partial<Definition<Name>>): readonly Drawing[];
  /** The view that is drawn, without figures, while results are hidden. By default, bars are drawn. */
  readonly hiddenView?: 'distribution' | 'cloud';
  /** Set if answers earn points, so that the screen has a leaderboard. */
  readonly hasLeaderboard?: true;
}

/** The label of an option, or its key if the result does not contain it. */
export function labelIn(result: Pick<Result, 'options'>, key: string): string {
  return result.options.find((option) => option.key === key)?.label ?? key;
}

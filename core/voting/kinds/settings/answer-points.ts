import * as Type from 'typebox';
import { integer, number } from '../../rules/schema.ts';

const MAX_POINTS = 1_000_000;

/** What a right answer earns on leaderboards. */
export const answerPointSettings = {
  points: Type.Optional(integer('points for a right answer; default 1000')),
  speed: Type.Optional(number('share of the points that the slowest answer loses, 0 to 1; needs durationMs')),
};

interface AnswerPoints {
  readonly points?: number;
  readonly speed?: number;
  readonly durationMs?: number;
}

/** All problems with the points for a right answer. */
export function answerPointProblems({ points = 0, speed = 0, durationMs }: AnswerPoints): string[] {
  const problems: string[] = [];
  if (points < 0 || points > MAX_POINTS) problems.push(`points: must be from 0 to ${MAX_POINTS}, not ${points}`);
  if (!(speed >= 0 && speed <= 1)) problems.push(`speed: must be from 0 to 1, not ${speed}`);
  if (speed && durationMs === undefined) problems.push('speed: needs durationMs, the time allowed for answering');
  return problems;
}

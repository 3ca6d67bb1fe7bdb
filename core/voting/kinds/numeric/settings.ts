import * as Type from 'typebox';
import { type Frozen, integer, number, string } from '../../rules/schema.ts';
import { answerPointSettings } from '../settings/answer-points.ts';

export const settings = Type.Object({
  min: Type.Optional(number('lowest number allowed')),
  max: Type.Optional(number('highest number allowed')),
  decimals: Type.Optional(integer('decimal places; default 0')),
  unit: Type.Optional(string('the unit of the numbers')),
  bins: Type.Optional(integer('number of bars in the histogram; default 10')),
  trim: Type.Optional(number('share of votes left out at each end for the trimmed mean, below 0.5; default 0.1')),
  answer: Type.Optional(number('the right answer, if there is one; shown once the round is final')),
  tolerance: Type.Optional(number('how far from the answer a guess may be and still count as right; default 0')),
  proximity: Type.Optional(
    number('how far beyond the tolerance a guess still earns points, decreasing with distance; default 0'),
  ),
  ...answerPointSettings,
});
export type NumericSettings = Frozen<Type.Static<typeof settings>>;

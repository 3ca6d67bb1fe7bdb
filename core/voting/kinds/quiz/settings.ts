import * as Type from 'typebox';
import { boolean, type Frozen, oneOf, strings } from '../../rules/schema.ts';
import { answerPointSettings } from '../settings/answer-points.ts';

export const settings = Type.Object({
  question: Type.Optional(oneOf(['single', 'multiple', 'ordering', 'short'], 'the type of question; default single')),
  correct: Type.Optional(strings('the right keys; for ordering, in the right order; shown once the round is final')),
  accept: Type.Optional(strings('for short, the accepted answers; shown once the round is final')),
  ignoreDiacritics: Type.Optional(boolean('for short, whether Zurich is accepted for Zürich; default false')),
  credit: Type.Optional(
    oneOf(['strict', 'balanced', 'per-option'], 'how partly right answers are credited; default strict (not at all)'),
  ),
  ...answerPointSettings,
});
export type QuizSettings = Frozen<Type.Static<typeof settings>>;

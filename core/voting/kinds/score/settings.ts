import * as Type from 'typebox';
import { type Frozen, integer, oneOf } from '../../rules/schema.ts';

export const settings = Type.Object({
  min: Type.Optional(integer('lowest grade; default 0')),
  max: Type.Optional(integer('highest grade; default 5')),
  method: Type.Optional(oneOf(['score', 'star'], 'the counting method; default score')),
});
export type ScoreSettings = Frozen<Type.Static<typeof settings>>;

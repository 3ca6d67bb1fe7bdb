import * as Type from 'typebox';
import { OptionSchema } from '../../rules/option.ts';
import { type Frozen, integer } from '../../rules/schema.ts';

export const settings = Type.Object({
  min: Type.Optional(integer('lowest grade; default 1')),
  max: Type.Optional(integer('highest grade; default 5')),
  items: Type.Optional(Type.Array(OptionSchema, { description: 'the things to rate, if there are several' })),
  top: Type.Optional(integer('how many of the highest grades form the top box; default 1')),
});
export type RatingSettings = Frozen<Type.Static<typeof settings>>;

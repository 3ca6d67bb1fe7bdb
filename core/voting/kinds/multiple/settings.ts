import * as Type from 'typebox';
import { boolean, type Frozen, integer, oneOf } from '../../rules/schema.ts';

export const settings = Type.Object({
  min: Type.Optional(integer('minimum number of options in a vote; default 1')),
  max: Type.Optional(integer('maximum number of options in a vote; default all')),
  none: Type.Optional(boolean('also offer none of the above')),
  shareOf: Type.Optional(oneOf(['voters', 'selections'], 'whether shares are of voters (default) or of selections')),
});
export type MultipleSettings = Frozen<Type.Static<typeof settings>>;

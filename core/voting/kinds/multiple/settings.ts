import * as Type from 'typebox';
import { boolean, type Frozen, integer, oneOf, string } from '../../rules/schema.ts';

export const settings = Type.Object({
  min: Type.Optional(integer('minimum number of options in a vote; default 1')),
  max: Type.Optional(integer('maximum number of options in a vote; default all')),
  none: Type.Optional(boolean('also offer none of the above')),
  seats: Type.Optional(integer('how many options win; default 1')),
  candidateMajority: Type.Optional(
    string('the share of the ballots (not counting none of the above) that an option needs to win, such as "> 1/2"'),
  ),
  shareOf: Type.Optional(oneOf(['voters', 'selections'], 'whether shares are of voters (default) or of selections')),
});
export type MultipleSettings = Frozen<Type.Static<typeof settings>>;

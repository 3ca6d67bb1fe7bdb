import * as Type from 'typebox';
import { type Frozen, integer, oneOf } from '../../rules/schema.ts';

export const settings = Type.Object({
  budget: Type.Optional(integer('how many points each voter may give; default 10')),
  max: Type.Optional(integer('the most points that a voter may give to one option; default the budget')),
  seats: Type.Optional(integer('how many options win; default 1')),
  spend: Type.Optional(oneOf(['up-to', 'all'], 'whether voters must spend all points; default up-to')),
});
export type PointsSettings = Frozen<Type.Static<typeof settings>>;

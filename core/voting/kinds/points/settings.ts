import * as Type from 'typebox';
import { type Frozen, integer, oneOf } from '../../rules/schema.ts';

export const settings = Type.Object({
  budget: Type.Optional(integer('how many points each voter may give; default 10')),
  spend: Type.Optional(oneOf(['up-to', 'all'], 'whether voters must spend all points; default up-to')),
});
export type PointsSettings = Frozen<Type.Static<typeof settings>>;

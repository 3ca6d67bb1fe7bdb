import * as Type from 'typebox';
import { type Frozen, integer, oneOf } from '../../rules/schema.ts';

export const settings = Type.Object({
  min: Type.Optional(integer('minimum number of options ranked; default 1')),
  max: Type.Optional(integer('maximum number of options ranked; default all')),
  method: Type.Optional(oneOf(['irv', 'stv', 'borda', 'condorcet'], 'the counting method; default irv')),
  seats: Type.Optional(integer('for stv, the number of options elected; default 1')),
  variant: Type.Optional(
    oneOf(
      ['standard', 'modified', 'averaged', 'dowdall'],
      'for borda, how many points each rank is worth; default standard',
    ),
  ),
});
export type RankingSettings = Frozen<Type.Static<typeof settings>>;

import * as Type from 'typebox';
import { type Frozen, integer, oneOf } from '../../rules/schema.ts';

export const METHODS = ['irv', 'stv', 'borda', 'condorcet'] as const;

/** The settings that only one method has. */
export const METHODS_OF = {
  until: 'irv',
  seats: 'stv',
  rules: 'stv',
  quota: 'stv',
  decimals: 'stv',
  variant: 'borda',
  completion: 'condorcet',
} as const;

export const settings = Type.Object({
  min: Type.Optional(integer('minimum number of options ranked; default 1')),
  max: Type.Optional(integer('maximum number of options ranked; default all')),
  method: Type.Optional(oneOf(METHODS, 'the counting method; default irv')),
  until: Type.Optional(
    oneOf(['majority', 'two'], 'for irv, when the count ends: at a majority (default), or when two options are left'),
  ),
  seats: Type.Optional(integer('for stv, the number of options elected; default 1')),
  rules: Type.Optional(
    oneOf(
      ['scottish', 'wigm', 'meek'],
      'for stv, the rules of the count; default scottish (local elections in Scotland)',
    ),
  ),
  quota: Type.Optional(oneOf(['droop', 'hare'], 'for stv by wigm, the quota; default droop')),
  decimals: Type.Optional(integer('for stv by wigm, the decimal places of transfer values, 0 to 6; default 4')),
  variant: Type.Optional(
    oneOf(
      ['standard', 'modified', 'averaged', 'dowdall'],
      'for borda, how many points each rank is worth; default standard',
    ),
  ),
  completion: Type.Optional(
    oneOf(
      ['ranked-pairs', 'schulze'],
      'for condorcet, what decides if no option beats all others; default ranked-pairs',
    ),
  ),
});
export type RankingSettings = Frozen<Type.Static<typeof settings>>;

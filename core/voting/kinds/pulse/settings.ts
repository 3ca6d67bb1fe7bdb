import * as Type from 'typebox';
import { type Frozen, integer } from '../../rules/schema.ts';

export const settings = Type.Object({
  windowMs: Type.Optional(integer('how long a press counts, in ms; default 60000')),
});
export type PulseSettings = Frozen<Type.Static<typeof settings>>;

import * as Type from 'typebox';
import { boolean, type Frozen } from '../../rules/schema.ts';

export const settings = Type.Object({ abstain: Type.Optional(boolean('whether voters may abstain; default true')) });
export type MotionSettings = Frozen<Type.Static<typeof settings>>;

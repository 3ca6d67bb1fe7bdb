import * as Type from 'typebox';
import { boolean, type Frozen } from '../../rules/schema.ts';

export const settings = Type.Object({ none: Type.Optional(boolean('also offer none of the above')) });
export type SingleSettings = Frozen<Type.Static<typeof settings>>;

import type { KindName } from '../poll.ts';
import type { Kind } from './kind.ts';
import { multiple } from './multiple.ts';
import { rating } from './rating.ts';
import { single } from './single.ts';

/** Every kind of poll by its name. To add one, write it beside these and name it here and in `KindName`. */
export const kinds: Readonly<Record<KindName, Kind>> = { single, multiple, rating };

export const KIND_NAMES = Object.keys(kinds) as KindName[];

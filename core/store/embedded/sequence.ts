import type { Offset } from '../offset.ts';

/** The position of an entry in its log, which the embedded store writes as the first part of an offset. */
export const sequenceOf = (offset: Offset): number => Number.parseInt(offset, 10);

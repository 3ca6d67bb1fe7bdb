import type { Marker } from '../../../core/voting/count/entry.ts';

/** Whether votes count at a place in the log. */
export interface Stretch {
  readonly isOpen: boolean;
  /** How often the round had been continued by then. */
  readonly interruptions: number;
}

/** What a marker makes of a round; undefined if it has no effect, because it was written before by another process. */
export function stretchAfter(before: Stretch | undefined, { type, record }: Marker): Stretch | undefined {
  const interruptions = record?.interruptions?.length ?? 0;
  if (type === 'close') return before?.interruptions === interruptions ? { isOpen: false, interruptions } : undefined;
  const isNext = before ? interruptions > before.interruptions : interruptions === 0;
  return isNext ? { isOpen: true, interruptions } : undefined;
}

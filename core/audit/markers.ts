import { type Entry, interruptionsBefore, type Marker } from '../voting/count/entry.ts';
import { MUTABLE_SETTINGS } from '../voting/poll/definition.ts';
import type { Poll } from '../voting/poll/poll.ts';
import type { RoundRecord } from '../voting/rules/record.ts';
import type { Common } from '../voting/rules/settings.ts';
import { isSame } from './same.ts';

/** Checks the markers of a bundle against its header, and their order in each partition. */
export class Markers {
  /** The step that each partition has reached: 0 nothing, 1 opened, 2 closed, 3 continued, 4 closed again, … */
  private readonly steps = new Map<number, number>();

  problems(entry: Entry, partition: number, poll: Poll): string[] {
    if (entry.type === 'votes') return [];
    return [
      ...this.orderProblems(entry, partition),
      ...recordProblems(entry, poll),
      ...definitionProblems(entry, poll),
    ];
  }

  /** A marker may be repeated later, but each step must first follow the one before it. */
  private orderProblems(marker: Marker, partition: number): string[] {
    const before = this.steps.get(partition) ?? 0;
    const step = 2 * interruptionsBefore(marker) + (marker.type === 'open' ? 1 : 2);
    this.steps.set(partition, Math.max(before, step));
    if (step <= before + 1) return [];
    return [`the ${marker.type} marker does not follow the marker before it: a marker is missing from the log`];
  }
}

/** Checks that the record in a marker is that of the header, as it was when the marker was written. */
function recordProblems(marker: Marker, poll: Poll): string[] {
  if (!marker.record) return [];
  const expected = recordAt(marker, poll);
  if (isSame(pick(marker.record, Object.keys(expected)), expected)) return [];
  return [`the record in the ${marker.type} marker differs from the record in the header`];
}

function recordAt(marker: Marker, poll: Poll): RoundRecord {
  const { openedAtMs, electorate, presentAtOpen, seed, lot, interruptions = [] } = poll;
  const place = interruptionsBefore(marker);
  const before = place === 0 ? undefined : interruptions.slice(0, place);
  // An interruption holds what was recorded about the close before it; the poll holds what was recorded about its last close.
  const { closesAtMs, stoppedAtMs, closedAtMs, presentAtClose } = interruptions[place] ?? poll;
  const opening = { openedAtMs, closesAtMs, electorate, presentAtOpen, seed, lot, interruptions: before };
  return marker.type === 'open' ? opening : { ...opening, stoppedAtMs, closedAtMs, presentAtClose };
}

/** Checks that an open marker has the header’s definition, except for settings that may change after the opening. */
function definitionProblems(marker: Marker, { definition }: Poll): string[] {
  const fixed = (of: Common) => ({ ...of, ...Object.fromEntries(MUTABLE_SETTINGS.map((field) => [field, undefined])) });
  if (marker.type !== 'open' || isSame(fixed(marker.definition), fixed(definition))) return [];
  return ['the definition in the open marker differs from the definition in the header'];
}

function pick(record: RoundRecord, fields: readonly string[]): RoundRecord {
  return Object.fromEntries(Object.entries(record).filter(([field]) => fields.includes(field)));
}

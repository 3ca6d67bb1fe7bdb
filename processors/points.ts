import type { Point } from '../core/store/series/series.ts';
import { totalRejected } from '../core/voting/accounting.ts';
import { bundlesOf, pressedSince } from '../core/voting/cast.ts';
import { kinds } from '../core/voting/kinds/index.ts';
import type { Definition, Poll, RoundRecord } from '../core/voting/poll.ts';
import { newSlice, type Slice } from '../core/voting/slice.ts';

/** The points that a slice makes at the second of its newest entry. */
export function pointsOf(slice: Slice, partition: number, definition: Definition | undefined): Point[] {
  const { accounting, tally } = slice;
  const tags = { poll: slice.poll, round: String(slice.round), partition: String(partition) };
  const atMs = Math.floor(slice.atMs / 1_000) * 1_000;
  const { received, counted, replaced, redelivered } = accounting;
  const rejected = totalRejected(accounting.rejected);
  const points: Point[] = [
    { measurement: 'votes', tags, fields: { received, counted, replaced, redelivered, rejected }, atMs },
    { measurement: 'turnout', tags, fields: { voted: counted }, atMs },
  ];
  // Second by second and partition by partition, figures of a secret poll would tell who voted what.
  const isShown = definition && !(definition.secrecy === 'secret' && slice.open);
  for (const [reason, count] of Object.entries(accounting.rejected)) {
    points.push({ measurement: 'rejections', tags: { ...tags, reason }, fields: { count }, atMs });
  }
  const all = bundlesOf(tally);
  const bundles = definition?.kind === 'pulse' ? pressedSince(all, slice.atMs - (definition.windowMs ?? 0)) : all;
  const options = isShown ? kinds[definition.kind].result(definition, bundles, { isFinal: false }).options : [];
  // Only what the poll offers: each phrase that somebody writes would be a series of its own.
  const offered = new Set(definition?.options.map(({ key }) => key));
  for (const { key: option, count } of options) {
    if (count !== null && offered.has(option))
      points.push({ measurement: 'ballots', tags: { ...tags, option }, fields: { count }, atMs });
  }
  return points;
}

/** The points a round begins with, a second before its opening: without them a graph of rates misses its first votes. */
export function zeroPointsOf({ definition, round, openedAtMs = 0 }: Poll, partition: number): Point[] {
  const { poll, revote } = definition;
  return pointsOf(newSlice(poll, round, revote, openedAtMs - 1_000), partition, definition);
}

/** What graphs of a poll are annotated with: when its rounds were opened and closed. */
export function eventsOf({ definition, round, pastRounds = [], ...current }: Poll): Point[] {
  const { poll, title } = definition;
  const first = round - pastRounds.length;
  return [...pastRounds, current].flatMap(({ openedAtMs, closedAtMs }: RoundRecord, i) => {
    const event = (name: string, atMs: number | undefined): Point[] =>
      atMs === undefined
        ? []
        : [
            {
              measurement: 'events',
              tags: { poll, event: name },
              fields: { title, text: `round ${first + i} ${name}`, round: first + i },
              atMs,
            },
          ];
    return [...event('opened', openedAtMs), ...event('closed', closedAtMs)];
  });
}

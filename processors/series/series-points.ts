import type { Point } from '../../core/store/series/series.ts';
import { totalRejected } from '../../core/voting/count/accounting.ts';
import { bundlesOf } from '../../core/voting/count/cast.ts';
import { newSlice, type Slice } from '../../core/voting/count/slice.ts';
import type { Tally } from '../../core/voting/count/tally.ts';
import type { Definition } from '../../core/voting/kinds/definition.ts';
import type { OptionResult } from '../../core/voting/kinds/figures/option-result.ts';
import { kindOf } from '../../core/voting/kinds/index.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { bundlesCountingAt } from '../../core/voting/result/result.ts';
import type { RoundRecord } from '../../core/voting/rules/record.ts';

/** The points of a slice. Their timestamp is the second of its newest entry. */
export function slicePoints(slice: Slice, partition: number, definition: Definition | undefined): Point[] {
  const { accounting, tally } = slice;
  const tags = { poll: slice.poll, round: String(slice.round), partition: String(partition) };
  const atMs = Math.floor(slice.atMs / 1_000) * 1_000;
  const { received, counted, replaced, redelivered } = accounting;
  const rejected = totalRejected(accounting.rejected);
  const points: Point[] = [
    { measurement: 'votes', tags, fields: { received, counted, replaced, redelivered, rejected }, atMs },
    { measurement: 'turnout', tags, fields: { voted: counted }, atMs },
  ];
  // Per-second results of a single partition could reveal who voted for what in a secret poll.
  const isShown = definition && !(definition.secrecy === 'secret' && slice.open);
  for (const [reason, count] of Object.entries(accounting.rejected)) {
    points.push({ measurement: 'rejections', tags: { ...tags, reason }, fields: { count }, atMs });
  }
  const options = isShown ? linesOf(definition, tally, slice.atMs) : [];
  // Include only options that the poll offers. Otherwise, every phrase that a voter enters would become a separate series.
  const offered = new Set(definition?.options.map(({ key }) => key));
  for (const { key: option, count } of options) {
    if (count !== null && offered.has(option))
      points.push({ measurement: 'ballots', tags: { ...tags, option }, fields: { count }, atMs });
  }
  return points;
}

function linesOf(definition: Definition, tally: Tally, atMs: number): readonly OptionResult[] {
  const kind = kindOf(definition);
  const bundles = bundlesCountingAt(definition, bundlesOf(tally), atMs);
  return kind.lines?.(definition, bundles) ?? kind.result(definition, bundles, { isFinal: false }).options;
}

/** The initial points of a round, a second before it opens. Without them, graphs of rates would miss the first votes. */
export function openingPoints({ definition, round, openedAtMs = 0 }: Poll, partition: number): Point[] {
  const { poll, revote } = definition;
  return slicePoints(newSlice(poll, round, revote, openedAtMs - 1_000), partition, definition);
}

/** Annotations for graphs of a poll: when its rounds were opened, continued and closed. */
export function eventPoints({ definition, round, pastRounds = [], ...current }: Poll): Point[] {
  const { poll, title } = definition;
  const first = round - pastRounds.length;
  return [...pastRounds, current].flatMap(({ openedAtMs, closedAtMs, interruptions = [] }: RoundRecord, i) => {
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
    const between = interruptions.flatMap((one) => [
      ...event('closed', one.closedAtMs),
      ...event('continued', one.continuedAtMs),
    ]);
    return [...event('opened', openedAtMs), ...between, ...event('closed', closedAtMs)];
  });
}

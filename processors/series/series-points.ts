import type { Point } from '../../core/store/series/series.ts';
import { sumAccounting, totalRejected } from '../../core/voting/count/accounting.ts';
import { bundlesOf } from '../../core/voting/count/cast.ts';
import { newSlice, type Slice } from '../../core/voting/count/slice.ts';
import { merge, type Tally } from '../../core/voting/count/tally.ts';
import type { Definition } from '../../core/voting/kinds/definition.ts';
import type { OptionResult } from '../../core/voting/kinds/figures/option-result.ts';
import { kindOf } from '../../core/voting/kinds/index.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { bundlesCountingAt } from '../../core/voting/result/result.ts';
import type { PublicPart } from '../../core/voting/result/visibility.ts';
import type { RoundRecord } from '../../core/voting/rules/record.ts';

/**
 * The points of a round: the sums of all partitions, because a partition follows from the device, and few voters may be in it.
 * Their timestamp is the second of the newest entry.
 *
 * @param slices those of all partitions that have one
 */
export function roundPoints(slices: readonly Slice[], definition: Definition): Point[] {
  const [first] = slices;
  if (!first) return [];
  const tags = { poll: first.poll, round: String(first.round) };
  const newestMs = newestOf(slices);
  const atMs = Math.floor(newestMs / 1_000) * 1_000;
  const accounting = sumAccounting(slices.map((slice) => slice.accounting));
  const { received, counted, replaced, redelivered } = accounting;
  const rejected = totalRejected(accounting.rejected);
  const points: Point[] = [
    { measurement: 'votes', tags, fields: { received, counted, replaced, redelivered, rejected }, atMs },
    { measurement: 'turnout', tags, fields: { voted: counted }, atMs },
  ];
  for (const [reason, count] of Object.entries(accounting.rejected)) {
    points.push({ measurement: 'rejections', tags: { ...tags, reason }, fields: { count }, atMs });
  }
  // Include only options that the poll offers. Otherwise, every phrase that a voter enters would become a separate series.
  const offered = new Set(definition.options.map(({ key }) => key));
  // Results per second would reveal who voted for what in a secret poll.
  const isHeld = definition.secrecy === 'secret' && slices.some(({ open }) => open);
  if (isHeld || offered.size === 0) return points;
  for (const { key: option, count } of linesOf(definition, merge(slices.map(({ tally }) => tally)), newestMs)) {
    if (count !== null && offered.has(option))
      points.push({ measurement: 'ballots', tags: { ...tags, option }, fields: { count }, atMs });
  }
  return points;
}

/** When the newest entry of a round was logged, in ms since 1970; 0 if there is none. */
export function newestOf(slices: readonly (Slice | undefined)[]): number {
  return slices.reduce((newest, slice) => Math.max(newest, slice?.atMs ?? 0), 0);
}

/** Whether those who may see this part of a round may see a point of it. */
export function isShownIn(part: PublicPart, { measurement }: Point): boolean {
  return part === 'figures' || (part === 'turnout' && measurement !== 'ballots');
}

function linesOf(definition: Definition, tally: Tally, atMs: number): readonly OptionResult[] {
  const kind = kindOf(definition);
  const bundles = bundlesCountingAt(definition, bundlesOf(tally), atMs);
  return kind.lines?.(definition, bundles) ?? kind.result(definition, bundles, { isFinal: false }).options;
}

/** The initial points of a round, a second before it opens. Without them, graphs of rates would miss the first votes. */
export function openingPoints({ definition, round, openedAtMs = 0 }: Poll): Point[] {
  const { poll, revote } = definition;
  return roundPoints([newSlice(poll, round, revote, openedAtMs - 1_000)], definition);
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

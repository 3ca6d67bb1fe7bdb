import { isDeepStrictEqual } from 'node:util';
import { pause } from '../core/runtime/pause.ts';
import type { Series } from '../core/store/series/series.ts';
import { timelineOf, windowOf } from '../core/store/series/timeline.ts';
import type { Store } from '../core/store/store.ts';
import { balances, sumAccounting } from '../core/voting/accounting.ts';
import type { Poll } from '../core/voting/poll.ts';
import { differences, Recount } from '../core/voting/recount.ts';
import { type Result, resultOf } from '../core/voting/result.ts';
import type { Slice } from '../core/voting/slice.ts';
import { merge } from '../core/voting/tally.ts';
import { scanLog } from './log-scan.ts';

/** Tries per partition: while votes come in, the live count may move on between the two readings. */
const MAX_TRIES = 5;
/** The read model and the series follow the count: how long they may take, ms, and how often it is looked. */
const FOLLOW_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 250;

export interface RecountOptions {
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
  readonly maxEntries?: number;
}

/** The log is longer than whoever asked wanted to read. */
export class LongLog extends Error {}

/**
 * Folds the log of a round again, from its beginning, and compares with everything that shows the count: the live tally and,
 * once the round is final, the result as this dashboard serves it and the last points of the time series.
 *
 * @param live reads the result that is served now
 * @param options.limitMs how long what follows the count may take
 * @param options.signal ends it early, with an error
 * @param options.maxEntries it is given up, with an error, when the log has more in all
 */
export async function recount(
  store: Store,
  series: Series | undefined,
  poll: Poll,
  live: () => Promise<Result>,
  { limitMs = FOLLOW_LIMIT_MS, signal, maxEntries = Number.POSITIVE_INFINITY }: RecountOptions = {},
) {
  const { definition, round } = poll;
  const found: string[] = [];
  const slices: (Slice | undefined)[] = [];
  let entries = 0;
  const look = () => {
    signal?.throwIfAborted();
    if (++entries > maxEntries) throw new LongLog(`the log has more than ${maxEntries} entries`);
  };
  for (let partition = 0; partition < store.log.partitions; partition++) {
    const { slice, differing } = await recountPartition(store, partition, definition.poll, round, look);
    slices.push(slice);
    found.push(...differing.map((difference) => `partition ${partition}: ${difference}`));
  }
  const counted = resultOf(poll, slices, Date.now());
  const compared = ['live tally'];
  if (counted.final) {
    compared.push('dashboard');
    found.push(...(await followed(limitMs, signal, async () => differingResults(await live(), counted))));
  }
  if (counted.final && series && definition.kind !== 'pulse') {
    compared.push('time series');
    found.push(...(await followed(limitMs, signal, () => differingSeries(series, poll, counted))));
  }
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const tally = Object.fromEntries(merge(present.map((slice) => slice.tally)));
  const isBalanced = balances(accounting);
  const agrees = found.length === 0 && isBalanced;
  const recounted = { poll: definition.poll, round, agrees, isBalanced, compared, accounting };
  // Casts would tell more of a secret ballot than its result does.
  if (definition.secrecy === 'secret') return { ...recounted, differences: found.map(withoutChoice) };
  return { ...recounted, differences: found, tally };
}

const withoutChoice = (difference: string): string => difference.replace(/choice ".*": /, 'a choice: ');

/** Differences that are still there after what follows the count has had its time. */
async function followed(
  limitMs: number,
  signal: AbortSignal | undefined,
  look: () => Promise<string[]>,
): Promise<string[]> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found.length === 0 || performance.now() > endMs) return found;
    await pause(LOOK_EVERY_MS);
    signal?.throwIfAborted();
  }
}

function differingResults(served: Result, counted: Result): string[] {
  const fields = new Set([...Object.keys(served), ...Object.keys(counted)]);
  return (
    [...fields]
      // What came of an earlier recount is not counted.
      .filter((field) => field !== 'recount' && !isDeepStrictEqual(served[field], counted[field]))
      .map((field) => `dashboard, ${field}: ${brief(served[field])}, recounted ${brief(counted[field])}`)
  );
}

const brief = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? 'nothing';

/** What the last points say and the count does not; of options, those that the poll offers. */
async function differingSeries(
  series: Series,
  { definition, round, ...times }: Poll,
  counted: Result,
): Promise<string[]> {
  const window = windowOf(times.openedAtMs ?? 0, Math.max(times.closedAtMs ?? 0, Date.parse(counted.at ?? '') || 0));
  let last: ReturnType<typeof timelineOf>[number] | undefined;
  try {
    last = timelineOf(await series.samples(definition.poll, round, window), window).at(-1);
  } catch (error) {
    return [`time series: cannot be read (${(error as Error).message})`];
  }
  const found: string[] = [];
  if ((last?.votes ?? 0) !== counted.votes) {
    found.push(`time series, votes: ${last?.votes ?? 0}, recounted ${counted.votes}`);
  }
  const offered = new Set(definition.options.map(({ key }) => key));
  for (const { key, count } of counted.options) {
    const is = last && Object.hasOwn(last.ballots, key) ? last.ballots[key] : 0;
    if (offered.has(key) && is !== count) found.push(`time series, option ${key}: ${is}, recounted ${count}`);
  }
  return found;
}

async function recountPartition(store: Store, partition: number, poll: string, round: number, look: () => void) {
  for (let tries = 1; ; tries++) {
    const { offset: before } = await store.counts.position(partition);
    const again = new Recount(poll, round);
    for await (const { entry } of scanLog(store, partition)) {
      look();
      again.add([entry]);
    }
    const live = await store.counts.slice(partition, poll, round);
    const { offset: after } = await store.counts.position(partition);
    const differing = differences(live, again.slice);
    if (differing.length === 0 || before === after || tries === MAX_TRIES) return { slice: again.slice, differing };
  }
}

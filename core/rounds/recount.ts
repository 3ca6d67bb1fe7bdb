import { isDeepStrictEqual } from 'node:util';
import { scanLog } from '../store/log-scan.ts';
import type { Series } from '../store/series/series.ts';
import { timelineOf, windowOf } from '../store/series/timeline.ts';
import type { Store } from '../store/store.ts';
import { balances, sumAccounting } from '../voting/count/accounting.ts';
import { differences, Replay } from '../voting/count/replay.ts';
import type { Slice } from '../voting/count/slice.ts';
import { merge } from '../voting/count/tally.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { interruptionsOf, isTimeDependent, type OpenResult, resultOf } from '../voting/result/result.ts';
import { pause } from '../waiting/pause.ts';

/** The maximum number of attempts per partition. A recount is repeated if the live count advanced while it was running. */
const MAX_TRIES = 5;
/** The default of `followLimitMs`. */
const FOLLOW_LIMIT_MS = 10_000;
const CHECK_EVERY_MS = 250;

export interface RecountOptions {
  readonly store: Store;
  /** If given, the time series is compared too. */
  readonly series?: Series | undefined;
  readonly poll: Poll;
  /** Returns the result that is currently served. */
  readonly served: () => Promise<OpenResult>;
  /** Aborts the recount with an error. */
  readonly signal?: AbortSignal;
  /** How long in ms the read model and the time series may take to catch up with the count. */
  readonly followLimitMs?: number;
  /** The recount is abandoned if the log has more entries than this in total. */
  readonly maxEntries?: number;
}

/** The log has more entries than the caller wants to read. */
export class LogTooLong extends Error {}

/**
 * Recounts a round from the beginning of its log, and compares the outcome with the live tally. If the round is final, the
 * outcome is also compared with the result that this dashboard serves. If a time series is given and votes do not expire, the
 * end of the series is compared too.
 *
 * @throws LogTooLong
 */
export async function recount(options: RecountOptions) {
  const { store, series, poll, served, signal, maxEntries = Infinity } = options;
  const { definition, round } = poll;
  const found: string[] = [];
  const slices: (Slice | undefined)[] = [];
  let entries = 0;
  const onEntry = () => {
    signal?.throwIfAborted();
    if (++entries > maxEntries) throw new LogTooLong(`the log has more than ${maxEntries} entries`);
  };
  for (let partition = 0; partition < store.log.partitions; partition++) {
    const { slice, differing } = await recountPartition(store, partition, poll, onEntry);
    slices.push(slice);
    found.push(...differing.map((difference) => `partition ${partition}: ${difference}`));
  }
  const counted = resultOf(poll, slices, Date.now());
  const compared = ['live tally'];
  if (counted.final) {
    compared.push('dashboard');
    found.push(...(await remaining(options, async () => differingResults(await served(), counted))));
  }
  if (counted.final && series && !isTimeDependent(definition)) {
    compared.push('time series');
    found.push(...(await remaining(options, () => differingSeries(series, poll, counted))));
  }
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const tally = Object.fromEntries(merge(present.map((slice) => slice.tally)));
  const isBalanced = balances(accounting);
  const agrees = found.length === 0 && isBalanced;
  const outcome = { poll: definition.poll, round, agrees, isBalanced, compared, accounting };
  const recounted = { ...outcome, ...interruptionsOf(poll) };
  // The tally of a secret poll would reveal more about the ballots than its result does.
  if (definition.secrecy === 'secret') return { ...recounted, differences: found.map(withoutChoice) };
  return { ...recounted, differences: found, tally };
}

const withoutChoice = (difference: string): string => difference.replace(/choice ".*": /, 'a choice: ');

/** The differences that remain after everything has had time to catch up with the count. */
async function remaining(
  { signal, followLimitMs = FOLLOW_LIMIT_MS }: RecountOptions,
  compare: () => Promise<string[]>,
): Promise<string[]> {
  const endMs = performance.now() + followLimitMs;
  for (;;) {
    const found = await compare();
    if (found.length === 0 || performance.now() > endMs) return found;
    await pause(CHECK_EVERY_MS);
    signal?.throwIfAborted();
  }
}

function differingResults(served: OpenResult, counted: OpenResult): string[] {
  const [one, two] = [new Map(Object.entries(served)), new Map(Object.entries(counted))];
  return (
    [...new Set([...one.keys(), ...two.keys()])]
      // The outcome of an earlier recount is not part of the count.
      .filter((field) => field !== 'recount' && !isDeepStrictEqual(one.get(field), two.get(field)))
      .map((field) => `dashboard, ${field}: ${brief(one.get(field))}, recounted ${brief(two.get(field))}`)
  );
}

const brief = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? 'nothing';

/** Differences between the end of the time series and the count. Only options that the poll offers are compared. */
async function differingSeries(
  series: Series,
  { definition, round, ...times }: Poll,
  counted: OpenResult,
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

async function recountPartition(store: Store, partition: number, { definition, round }: Poll, onEntry: () => void) {
  for (let tries = 1; ; tries++) {
    const { offset: before } = await store.counts.position(partition);
    const again = new Replay(definition.poll, round);
    for await (const { entry } of scanLog(store, partition)) {
      onEntry();
      again.add([entry]);
    }
    const live = await store.counts.slice(partition, definition.poll, round);
    const { offset: after } = await store.counts.position(partition);
    const differing = differences(live, again.slice);
    if (differing.length === 0 || before === after || tries === MAX_TRIES) return { slice: again.slice, differing };
  }
}

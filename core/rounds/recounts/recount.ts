import { Refusal } from '../../runtime/refusal.ts';
import { compareOffsets } from '../../store/offset.ts';
import type { Series } from '../../store/series/series.ts';
import type { Store } from '../../store/store.ts';
import { balances, sumAccounting } from '../../voting/count/accounting.ts';
import { differences } from '../../voting/count/replay.ts';
import type { Slice } from '../../voting/count/slice.ts';
import { merge } from '../../voting/count/tally.ts';
import type { Poll } from '../../voting/poll/poll.ts';
import {
  interruptionsOf,
  isTimeDependent,
  missingFrom,
  type OpenResult,
  resultOf,
} from '../../voting/result/result.ts';
import { publicPart } from '../../voting/result/visibility.ts';
import { pause } from '../../waiting/pause.ts';
import { differingResults, differingSeries } from './differing.ts';
import { PartitionReplay } from './partition-replay.ts';

/** The maximum number of attempts to read the live count of a partition, in case the store goes back to older data. */
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
  readonly signal?: AbortSignal | undefined;
  /** How long in ms the read model and the time series may take to catch up with the count. */
  readonly followLimitMs?: number;
  /** The recount is abandoned if the log has more entries than this in total. */
  readonly maxEntries?: number | undefined;
}

function logRemoved(poll: string, round: number): Refusal {
  const why = `the votes of round ${round} of poll ${poll} have been removed from the log (POLLCAST_RETENTION_DAYS), so it cannot be recounted; an audit bundle exported in time can still be verified`;
  return new Refusal('log-removed', why);
}

/** The log has more entries than the caller wants to read. */
export class LogTooLong extends Error {}

/**
 * Recounts a round from the beginning of its log, and compares the outcome with the live tally. If the round is final, the
 * outcome is also compared with the result that this dashboard serves. If a time series is given and votes do not expire, the
 * end of the series is compared too.
 *
 * Devices may go on voting while this reads. The live tally of each partition is therefore compared at its own offset. Votes
 * that arrive after the close change how many were received and rejected, and nothing else; those figures may lie anywhere
 * between what was counted first and what is counted now.
 *
 * @returns `agrees` says whether the count is right. The time series is not part of the count: if only the series differs, its
 *   differences are listed, and `agrees` is true.
 * @throws LogTooLong, Refusal log-removed, newer-entry
 */
export async function recount(options: RecountOptions) {
  const { store, series, poll, served, signal, maxEntries = Infinity } = options;
  const { definition, round } = poll;
  const found: string[] = [];
  const partitions: PartitionReplay[] = [];
  let entries = 0;
  const onEntry = () => {
    signal?.throwIfAborted();
    if (++entries > maxEntries) throw new LogTooLong(`the log has more than ${maxEntries} entries`);
  };
  for (let partition = 0; partition < store.log.partitions; partition++) {
    const replay = new PartitionReplay(store, partition, poll, onEntry);
    const differing = await differencesAtOneOffset(store, replay, poll);
    partitions.push(replay);
    found.push(...differing.map((difference) => `partition ${partition}: ${difference}`));
  }
  const slices = partitions.map(({ slice }) => slice && copyOf(slice));
  const counted = resultOf(poll, slices, Date.now());
  const later = async () => {
    for (const partition of partitions) await partition.advance();
    return resultOf(
      poll,
      partitions.map(({ slice }) => slice),
      Date.now(),
    );
  };
  const compared = ['live tally'];
  if (counted.final) {
    compared.push('dashboard');
    found.push(...(await remaining(options, async () => differingResults(await served(), counted, later))));
  }
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const tally = Object.fromEntries(merge(present.map((slice) => slice.tally)));
  const isBalanced = balances(accounting);
  const agrees = found.length === 0 && isBalanced;
  // A series that others can read lacks what not everybody may see.
  const isWritten = !series?.isPublic || publicPart(poll, counted.final) === 'figures';
  if (counted.final && series && isWritten && !isTimeDependent(definition)) {
    compared.push('time series');
    found.push(...(await remaining(options, () => differingSeries(series, poll, counted, later))));
  }
  const outcome = { poll: definition.poll, round, agrees, isBalanced, compared, accounting };
  const recounted = { ...outcome, ...interruptionsOf(poll), ...missingFrom(present) };
  // The tally of a secret poll would reveal more about the ballots than its result does.
  if (definition.secrecy === 'secret') return { ...recounted, differences: found.map(withoutChoice) };
  return { ...recounted, differences: found, tally };
}

const withoutChoice = (difference: string): string => difference.replace(/choice ".*": /, 'a choice: ');

/** A copy whose figures do not change when the replay goes on. */
function copyOf(slice: Slice): Slice {
  const { accounting, tally } = slice;
  return { ...slice, accounting: { ...accounting, rejected: { ...accounting.rejected } }, tally: new Map(tally) };
}

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

/**
 * Replays a partition up to the offset of its live slice, and compares the two. The slice and its offset are not read at the
 * same moment, so the offset lies between the one read before and the one read after the slice.
 */
async function differencesAtOneOffset(
  store: Store,
  replay: PartitionReplay,
  { definition, round }: Poll,
): Promise<string[]> {
  const { partition } = replay;
  for (let tries = 1; ; tries++) {
    const { offset: before, entries } = await store.counts.position(partition);
    const live = await store.counts.slice(partition, definition.poll, round);
    const { offset: after } = await store.counts.position(partition);
    const wentBack = compareOffsets(after, before) < 0 || compareOffsets(before, replay.offset) < 0;
    if (wentBack && tries < MAX_TRIES) continue;
    await replay.advance(before);
    if (live && !replay.slice && replay.entries < entries) throw logRemoved(definition.poll, round);
    const found = differences(live, replay.slice);
    if (found.length === 0) return found;
    for await (const _ of replay.steps(after)) if (differences(live, replay.slice).length === 0) return [];
    return found;
  }
}

import type { AuditRecord } from '../../core/audit/trail/fact.ts';
import { type AuditTrail, MAX_PAGE } from '../../core/audit/trail/trail.ts';
import { BundleWriter } from '../../core/audit/writer.ts';
import { newerEntry } from '../../core/rounds/recounts/partition-replay.ts';
import { scanLog } from '../../core/store/log-scan.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { BallotSource } from './ballots.ts';

/** Entries read, or lines written, at a time. In between, votes are acknowledged and other requests answered. */
const LINES_TOGETHER = 500;

/** How many records of one round a bundle has at most. */
const MAX_RECORDS = 1_000;
/** What may still be done to a round after its close and belongs to it; the close itself is recorded when it is complete. */
const AFTER_THE_CLOSE: ReadonlySet<string> = new Set(['poll.close', 'poll.continue', 'poll.draw', 'poll.withdraw']);
/** Actions that change nothing. Without them, exporting a round again gives the same bundle. */
const CHANGES_NOTHING: ReadonlySet<string> = new Set(['poll.export', 'poll.recount']);

/** The audit bundle of a final round, line by line. */
export async function* bundleLines(
  { store, turns, trail }: BallotSource & { readonly trail: AuditTrail },
  poll: Poll,
): AsyncGenerator<string> {
  const { partitions } = store.log;
  const bundle = new BundleWriter(poll, partitions);
  const me = {};
  let read = 0;
  const records: AuditRecord[] = [];
  for await (const record of trail.all()) {
    if (++read % MAX_PAGE === 0) await turns.next(me);
    if (records.length < MAX_RECORDS && isOfRound(record, poll)) records.push(record);
  }
  yield bundle.header(records);
  for (let partition = 0; partition < partitions; partition++) {
    for await (const { offset, entry } of scanLog(store, partition)) {
      if (++read % LINES_TOGETHER === 0) await turns.next(me);
      if (entry.type === 'newer') throw newerEntry(partition, offset, entry.format);
      const line =
        entry.type === 'unreadable'
          ? bundle.unreadable(partition, offset, entry)
          : bundle.entry(partition, offset, entry);
      if (line !== '') yield line;
    }
  }
  for (const line of bundle.ending()) {
    if (++read % LINES_TOGETHER === 0) await turns.next(me);
    yield line;
  }
}

/** True if a record says what an operator did to the poll: in this round, or before its first one. */
function isOfRound({ action, target, outcome, round, at }: AuditRecord, poll: Poll): boolean {
  if (target !== `poll/${poll.definition.poll}` || outcome !== 'done' || CHANGES_NOTHING.has(action)) return false;
  const atMs = Date.parse(at);
  // What does not change the outcome any more would only give the bundle another hash than the published one.
  if (atMs > (poll.closedAtMs ?? atMs) && !AFTER_THE_CLOSE.has(action)) return false;
  // An earlier poll may have had the same id.
  return (round === poll.round || round === 0) && atMs >= poll.createdAtMs;
}

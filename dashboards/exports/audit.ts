import { BundleWriter } from '../../core/audit/writer.ts';
import { newerEntry } from '../../core/rounds/recounts/partition-replay.ts';
import { scanLog } from '../../core/store/log-scan.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { BallotSource } from './ballots.ts';

/** Entries read, or lines written, at a time. In between, votes are acknowledged and other requests answered. */
const LINES_TOGETHER = 500;

/** The audit bundle of a final round, line by line. */
export async function* bundleLines({ store, turns }: BallotSource, poll: Poll): AsyncGenerator<string> {
  const { partitions } = store.log;
  const bundle = new BundleWriter(poll, partitions);
  const me = {};
  let read = 0;
  yield bundle.header();
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

import { BundleWriter } from '../../core/audit/bundle.ts';
import { newerEntry } from '../../core/rounds/recounts/partition-replay.ts';
import { scanLog } from '../../core/store/log-scan.ts';
import type { Store } from '../../core/store/store.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';

/** The audit bundle of a final round, line by line. */
export async function* bundleLines(store: Store, poll: Poll): AsyncGenerator<string> {
  const { partitions } = store.log;
  const bundle = new BundleWriter(poll, partitions);
  yield bundle.header();
  for (let partition = 0; partition < partitions; partition++) {
    for await (const { offset, entry } of scanLog(store, partition)) {
      if (entry.type === 'newer') throw newerEntry(partition, offset, entry.format);
      const line =
        entry.type === 'unreadable'
          ? bundle.unreadable(partition, offset, entry)
          : bundle.entry(partition, offset, entry);
      if (line !== '') yield line;
    }
  }
  yield bundle.result();
}

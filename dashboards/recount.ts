import type { Store } from '../core/store/store.ts';
import { balances, sumAccounting } from '../core/voting/accounting.ts';
import { differences, Recount } from '../core/voting/recount.ts';
import type { Slice } from '../core/voting/slice.ts';
import { merge } from '../core/voting/tally.ts';
import { scanLog } from './log-scan.ts';

/** Tries per partition: while votes come in, the live count may move on between the two readings. */
const MAX_TRIES = 5;

/** Folds the log of a round again, from its beginning, and compares with the live count. */
export async function recount(store: Store, poll: string, round: number) {
  const found: string[] = [];
  const slices: Slice[] = [];
  for (let partition = 0; partition < store.log.partitions; partition++) {
    const { slice, differing } = await recountPartition(store, partition, poll, round);
    if (slice) slices.push(slice);
    found.push(...differing.map((difference) => `partition ${partition}: ${difference}`));
  }
  const accounting = sumAccounting(slices.map((slice) => slice.accounting));
  const tally = Object.fromEntries(merge(slices.map((slice) => slice.tally)));
  const isBalanced = balances(accounting);
  return { poll, round, agrees: found.length === 0 && isBalanced, isBalanced, differences: found, accounting, tally };
}

async function recountPartition(store: Store, partition: number, poll: string, round: number) {
  for (let tries = 1; ; tries++) {
    const { offset: before } = await store.counts.position(partition);
    const again = new Recount(poll, round);
    for await (const { entry } of scanLog(store, partition)) again.add([entry]);
    const live = await store.counts.slice(partition, poll, round);
    const { offset: after } = await store.counts.position(partition);
    const differing = differences(live, again.slice);
    if (differing.length === 0 || before === after || tries === MAX_TRIES) return { slice: again.slice, differing };
  }
}

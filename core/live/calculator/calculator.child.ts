import { parentPort } from 'node:worker_threads';
import { applyChange, type Slice } from '../../voting/count/slice.ts';
import { changesAt, resultOf } from '../../voting/result/result.ts';
import type { Answer, Order } from './messages.ts';

/** Copies of rounds: their slices, by partition. */
const rounds = new Map<string, (Slice | undefined)[]>();

parentPort?.on('message', (order: Order) => {
  const round = rounds.get(order.key);
  switch (order.do) {
    case 'hold':
      rounds.set(
        order.key,
        Array.from({ length: order.partitions }, () => undefined),
      );
      return;
    case 'apply':
      if (round) round[order.partition] = applyChange(round[order.partition], order.change);
      return;
    case 'drop':
      rounds.delete(order.key);
      return;
    case 'compute':
      parentPort?.postMessage(compute(order, round) satisfies Answer);
  }
});

function compute(
  { id, poll, nowMs, key }: Order & { do: 'compute' },
  round: readonly (Slice | undefined)[] | undefined,
): Answer {
  if (!round) return { id, problem: `round ${key} is not held`, isLost: true };
  try {
    return { id, result: resultOf(poll, round, nowMs), untilMs: changesAt(poll, round, nowMs) };
  } catch (error) {
    return { id, problem: (error as Error).stack ?? String(error) };
  }
}

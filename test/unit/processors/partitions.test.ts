/** Partitions that one process counts do not depend on each other, and are not stored all at once. */
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { createLog } from '../../../core/runtime/log.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import type { CountStore, Store } from '../../../core/store/store.ts';
import { bytesOf } from '../../../core/store/stored-ballots.ts';
import { VoteColumns } from '../../../core/voting/count/entries/columns.ts';
import { Counter } from '../../../processors/counting/counter.ts';
import { processorMetrics } from '../../../processors/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { questionWith } from '../voting/question.ts';

for (const method of ['position', 'slice', 'stored', 'commit'] as const) {
  t.test(`a partition that fails does not hold up the others: ${method}`, async (t) => {
    const { store, append, isCounted, count } = await scene(t, 2);
    for (const partition of [0, 1]) await append(partition, ['a']);
    let isFailing = true;
    const takenOver = [0, 0];
    const { counts } = store;
    const failing: CountStore = Object.assign(Object.create(counts), {
      position: (partition: number) => {
        (takenOver[partition] as number)++;
        return counts.position(partition);
      },
    });
    const inner = failing[method].bind(counts) as (...args: unknown[]) => Promise<unknown>;
    const fails = async (first: unknown, ...rest: unknown[]) => {
      const partition = typeof first === 'number' ? first : (first as { partition: number }).partition;
      const found = await inner(first, ...rest);
      if (partition === 0 && isFailing) throw new Error('this partition cannot be counted');
      return found;
    };
    Object.assign(failing, { [method]: fails });
    await count({ counts: failing });
    for (let i = 0; i < 5; i++) {
      await append(1, [`b${i}`]);
      await isCounted(1);
    }
    t.equal(takenOver[1], 1, 'the other one is not taken over again');
    isFailing = false;
    await append(0, ['c']);
    await isCounted(0);
    t.match(await counts.slice(0, 'q', 1), { accounting: { received: 2, counted: 2 } });
    t.match(await counts.slice(1, 'q', 1), { accounting: { received: 6, counted: 6 } });
  });
}

t.test('no commit is under way when the next step begins', async (t) => {
  const { store, append, isCounted, count } = await scene(t, 2);
  for (const partition of [0, 1]) await append(partition, ['a']);
  const { counts, log } = store;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let hasFailed = false;
  let isHeld = false;
  let readings = 0;
  const commit: CountStore['commit'] = async (one) => {
    if (one.partition === 0 && !hasFailed) {
      hasFailed = true;
      throw new Error('the commit is lost');
    }
    if (one.partition === 1 && !isHeld) {
      isHeld = true;
      await held;
    }
    return counts.commit(one);
  };
  const read: Store['log']['read'] = (...args) => {
    readings++;
    return log.read(...args);
  };
  await count({
    counts: Object.assign(Object.create(counts), { commit }),
    log: Object.assign(Object.create(log), { read }),
  });
  await eventually('both commits', async () => (hasFailed && isHeld) || undefined);
  const before = readings;
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.equal(readings, before);
  release();
  for (const partition of [0, 1]) await isCounted(partition);
});

t.test('large checkpoints are stored one after the other', async (t) => {
  const { store, append, isCounted, count } = await scene(t, 3);
  const voters = Array.from({ length: 15_000 }, (_, i) => `a-device-with-a-long-name-${i}`);
  for (const partition of [0, 1, 2]) await append(partition, voters);
  const { counts } = store;
  const active = new Set<number>();
  const sizes: number[] = [];
  let most = 0;
  const commit: CountStore['commit'] = async (one) => {
    if (one.checkpoint) sizes.push(bytesOf(one.checkpoint.rounds));
    active.add(one.partition);
    most = Math.max(most, active.size);
    const done = await counts.commit(one);
    active.delete(one.partition);
    return done;
  };
  await count({ counts: Object.assign(Object.create(counts), { commit }) });
  for (const partition of [0, 1, 2]) await isCounted(partition);
  t.ok(Math.max(...sizes) > 256 * 1024, 'they are large');
  t.equal(most, 1);
});

/** A store with the poll `q` open in all of its partitions. */
async function scene(t: Test, partitions: number) {
  const store = await EmbeddedStore.open({ directory: t.testdir(), partitions });
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const last = new Map<number, string>();
  let sequence = 0;
  const definition = questionWith({ poll: 'q' });
  for (const partition of all) {
    await store.log.append(partition, { type: 'open', poll: 'q', round: 1, atMs: 1, definition });
  }
  const counters: Counter[] = [];
  t.teardown(async () => {
    for (const counter of counters) await counter.close();
    await store.close();
  });
  return {
    store,
    append: async (partition: number, voters: readonly string[]) => {
      const votes = VoteColumns.of(voters.map((device) => ({ device, choice: 'a' })));
      const rounds = [{ poll: 'q', round: 1, votes, rejected: {} }];
      const entry = { type: 'votes', producer: 'run', sequence: sequence++, atMs: 2, rounds, refused: {} } as const;
      last.set(partition, await store.log.append(partition, entry));
    },
    isCounted: (partition: number) =>
      eventually(`the count of partition ${partition}`, async () =>
        (await store.counts.position(partition)).offset === last.get(partition) ? true : undefined,
      ),
    /** Counts with parts of the store replaced. */
    count: async (parts: Partial<Store>) => {
      const replaced: Store = Object.assign(Object.create(store), parts);
      const metrics = processorMetrics(new Registry());
      const log = createLog('silent');
      counters.push(await Counter.open({ store: replaced, partitions: () => all, metrics, log }));
    },
  };
}

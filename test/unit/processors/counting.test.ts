import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { createLog } from '../../../core/runtime/log.ts';
import { DeadEntries } from '../../../core/store/dead-entries.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import type { Store } from '../../../core/store/store.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import { Counter } from '../../../processors/counting/counter.ts';
import { processorMetrics } from '../../../processors/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { closing, opening } from '../voting/count/logs.ts';
import { questionWith } from '../voting/question.ts';

/** An entry that is stored as it is, whatever it contains: a later `v` overrides the one that the store writes. */
const anything = (text: string): Entry => JSON.parse(text);
const DAMAGED = anything('{"type":"open","poll":"q","round":1,"atMs":1}');
const NEWER = anything('{"v":99,"type":"ballots"}');

/** A counter on an embedded store. Its reads fail while `store.isAway`. */
async function counting(t: Test, fill: (store: Store) => Promise<unknown>) {
  const embedded = await EmbeddedStore.open({ directory: t.testdir(), partitions: 2 });
  await fill(embedded);
  const state = { isAway: false, partitions: [0, 1] };
  const { log, counts, ballots, changes, registry, presence, trails, lines } = embedded;
  const read: Store['log']['read'] = (...args) =>
    state.isAway ? Promise.reject(new Error('away')) : log.read(...args);
  const reading = {
    ...{ partitions: log.partitions, read },
    ...{ append: log.append.bind(log), appended: log.appended.bind(log), trim: log.trim.bind(log) },
  };
  const store = { ...{ log: reading, counts, ballots, changes, registry, presence, trails, lines } };
  const closed = { condition: () => embedded.condition(), close: () => embedded.close() };
  const metrics = processorMetrics(new Registry());
  const counter = await Counter.open({
    store: { ...store, ...closed },
    partitions: () => state.partitions,
    metrics,
    log: createLog('silent'),
  });
  t.teardown(async () => {
    await counter.close();
    await embedded.close();
  });
  return { counter, state, metrics, store: embedded };
}

t.test('a partition that is counted elsewhere keeps no processor waiting, also after a failure', async (t) => {
  const { counter, state, metrics } = await counting(t, (store) => store.log.append(0, NEWER));
  await eventually('the wait', async () => (counter.problem === undefined ? undefined : true));
  // A failure of the store discards the progress, and meanwhile another processor takes the partition over.
  state.isAway = true;
  await eventually('the failure', async () => {
    const { values } = await metrics.commits.get();
    return values.some(({ labels, value }) => labels.outcome === 'failed' && value > 0) ? true : undefined;
  });
  state.partitions = [1];
  state.isAway = false;
  await eventually('the end of the wait', async () => (counter.problem === undefined ? true : undefined));
  t.equal(counter.problem, undefined);
});

t.test('an entry that was set aside names only the rounds that were open at its place', async (t) => {
  const { store } = await counting(t, async (store) => {
    await store.registry.put('polls', 'q', { round: 2 });
    const question = questionWith({});
    await store.log.append(0, opening(question));
    await store.log.append(0, DAMAGED);
    await store.log.append(0, closing());
    await store.log.append(0, opening(question, 2));
    await store.log.append(0, DAMAGED);
    await store.log.append(0, closing(2));
    await store.log.append(0, DAMAGED);
  });
  await eventually('the count', async () => ((await store.counts.position(0)).offset === '7-0' ? true : undefined));
  const found = await new DeadEntries(store.registry).all();
  const rounds = new Map(found.map((entry) => [entry.offset, entry.rounds]));
  t.same(Object.fromEntries(rounds), { '2-0': ['q/1'], '5-0': ['q/2'], '7-0': [] });
});

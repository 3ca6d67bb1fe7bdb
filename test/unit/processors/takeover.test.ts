/** What another process, a late answer or a failover does to the stored ballots while a partition is taken over or counted. */
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { createLog } from '../../../core/runtime/log.ts';
import { DeadEntries } from '../../../core/store/dead-entries.ts';
import { VoteColumns } from '../../../core/voting/count/entries/columns.ts';
import type { Revote } from '../../../core/voting/rules/settings.ts';
import { Counter } from '../../../processors/counting/counter.ts';
import type { BallotLimits } from '../../../processors/counting/open-rounds.ts';
import { processorMetrics } from '../../../processors/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { questionWith } from '../voting/question.ts';
import { MemoryStore } from './memory-store.ts';

/** Never a checkpoint, unless a marker demands one. */
const NEVER: BallotLimits = { votes: 1e9, ms: 1e9, inMemory: 1e9 };
/** A checkpoint as soon as there is nothing to count. */
const SOON: BallotLimits = { ...NEVER, ms: 20 };

/** A round with votes, counted by counters with the given limits. */
class Scene {
  readonly memory = new MemoryStore();
  readonly metrics = processorMetrics(new Registry());
  private sequence = 0;
  private readonly t: Test;

  constructor(t: Test, revote: Revote) {
    this.t = t;
    this.memory.append({ type: 'open', poll: 'q', round: 1, atMs: 1, definition: questionWith({ poll: 'q', revote }) });
  }

  vote(devices: readonly string[], choice = 'a'): void {
    const votes = VoteColumns.of(devices.map((device) => ({ device, choice })));
    const at = { producer: 'run', sequence: this.sequence++, atMs: 10 + this.sequence };
    this.memory.append({ type: 'votes', ...at, rounds: [{ poll: 'q', round: 1, votes, rejected: {} }], refused: {} });
  }

  async count(limits: BallotLimits): Promise<Counter> {
    const { metrics, memory } = this;
    const parts = { store: memory.store, partitions: () => [0], metrics, log: createLog('silent') };
    const counter = await Counter.open({ ...parts, limits });
    this.t.teardown(() => counter.close());
    return counter;
  }

  /** Waits until everything is counted, and stored as well if `isStored`. */
  async settled(isStored = false): Promise<void> {
    const last = this.memory.entries.at(-1)?.offset;
    await eventually('the count', async () => {
      const { offset, checkpoint } = this.memory.database.position(0);
      return offset === last && (!isStored || checkpoint?.offset === last) ? true : undefined;
    });
  }

  ballots(devices: readonly string[]) {
    return this.memory.store.ballots.of(0, 'q', 1, devices);
  }
}

const many = (prefix: string) => Array.from({ length: 200 }, (_, i) => `${prefix}${i}`);

t.test('a checkpoint whose answer is late does not make a take-over apply votes twice', async (t) => {
  const scene = new Scene(t, 'max 3');
  scene.memory.idleFailures.push('late');
  await scene.count(SOON);
  await scene.settled(true);
  scene.vote(['d']);
  await scene.settled(true);
  t.match(await scene.ballots(['d']), [{ choice: 'a', votes: 1 }]);
  scene.vote(['d'], 'b');
  scene.vote(['d'], 'a');
  scene.vote(['d'], 'b');
  await scene.settled(true);
  t.match(await scene.ballots(['d']), [{ choice: 'a', votes: 3 }]);
  t.match(scene.memory.database.slice(0, 'q', 1)?.accounting, { counted: 1, rejected: { 'too-many-votes': 1 } });
});

t.test('a checkpoint that a failover loses is stored again before the next one', async (t) => {
  const scene = new Scene(t, 'last');
  const first = many('a');
  scene.memory.idleFailures.push('lost');
  const counter = await scene.count(SOON);
  await scene.settled();
  scene.vote(first);
  await scene.settled();
  await eventually('the loss', async () => (scene.memory.idleFailures.length === 0 ? true : undefined));
  scene.vote(['later']);
  await scene.settled(true);
  await counter.close();
  const found = await scene.ballots([...first, 'later']);
  t.equal(found.filter((ballot) => ballot?.choice === 'a').length, 201);
});

t.test('a reader whose checkpoint a failover loses still finds every vote', async (t) => {
  const scene = new Scene(t, 'last');
  const voters = many('d');
  const first = await scene.count(NEVER);
  await scene.settled(true);
  scene.vote(voters);
  await scene.settled();
  await first.close();
  const { database, store } = scene.memory;
  const { offset, checkpoint, refused } = database.position(0);
  const base = { partition: 0, expected: offset, expectedCheckpoint: checkpoint?.offset };
  const nothing = { offset, entries: 0, slices: [], producers: [], refused };
  const before = database.journal.position;
  // The rounds do not matter: the reader only needs to see the checkpoint.
  t.equal(database.commit({ ...base, ...nothing, checkpoint: { producers: new Map([['run', 0]]), rounds: [] } }), true);
  await store.ballots.of(0, 'q', 1, voters);
  database.journal.undo(before);
  const found = await store.ballots.of(0, 'q', 1, voters);
  t.equal(found.filter((ballot) => ballot?.choice === 'a').length, voters.length);
});

t.test(
  'if counted entries are gone before their ballots were stored, counting goes on, and rounds lack a part',
  async (t) => {
    const scene = new Scene(t, 'last');
    const { database } = scene.memory;
    database.put('polls', 'q', JSON.stringify({ round: 1 }));
    const first = await scene.count(NEVER);
    scene.vote(['d', 'e']);
    await scene.settled();
    await first.close();
    const second = await scene.count({ ...NEVER, votes: 1 });
    scene.vote(['f']);
    await scene.settled(true);
    await second.close();
    const third = await scene.count(NEVER);
    scene.vote(['d', 'e'], 'b');
    await scene.settled();
    await third.close();
    database.trim(0, Number.POSITIVE_INFINITY, '1000-0');
    await scene.count(SOON);
    // A checkpoint without entries must not hide that ballots are missing.
    await new Promise((resolve) => setTimeout(resolve, 100));
    scene.vote(['d', 'e'], 'c');
    await scene.settled(true);
    const slice = database.slice(0, 'q', 1);
    t.equal(slice?.missing, 1);
    t.same(Object.fromEntries(slice?.tally ?? []), { b: 2, c: 2 });
    t.match((await scene.metrics.incomplete.get()).values, [{ value: 1 }]);
    scene.vote(['e'], 'a');
    await scene.settled(true);
    t.equal(database.slice(0, 'q', 1)?.missing, 1, 'it is said once');
  },
);

const PLACES = { first: [0], 'in the middle': [1], last: [2], 'all but the last': [0, 1], all: [0, 1, 2] };
for (const [name, places] of Object.entries(PLACES)) {
  for (const how of ['damaged', 'gone'] as const) {
    t.test(`a take-over notices counted entries that are ${how}: ${name}`, async (t) => {
      const scene = new Scene(t, 'last');
      const { database, spoilt, entries, failures } = scene.memory;
      database.put('polls', 'q', JSON.stringify({ round: 1 }));
      const first = await scene.count(NEVER);
      await scene.settled(true);
      for (const device of ['d', 'e', 'f']) scene.vote([device]);
      await scene.settled();
      await first.close();
      const offsets = places.map((place) => entries.slice(1)[place]?.offset ?? '');
      for (const offset of offsets) spoilt.set(offset, how);
      // What was found is not forgotten if the first commit after it fails.
      failures.push('before');
      const second = await scene.count(SOON);
      scene.vote(['later']);
      await scene.settled(true);
      await second.close();
      t.equal(database.slice(0, 'q', 1)?.missing, 1, 'the open round says that a part is missing');
      const found = await new DeadEntries(scene.memory.store.registry).all();
      t.same(
        found
          .map(({ offset, rounds, wasCounted }) => ({ offset, rounds, wasCounted }))
          .sort((one, other) => one.offset.localeCompare(other.offset)),
        how === 'gone' ? [] : offsets.map((offset) => ({ offset, rounds: ['q/1'], wasCounted: true })),
      );
      const taken = (await scene.metrics.incomplete.get()).values[0]?.value ?? 0;
      t.ok(taken >= 1, 'it is counted');
      await scene.count(NEVER);
      scene.vote(['last']);
      await scene.settled();
      t.equal(database.slice(0, 'q', 1)?.missing, 1, 'it is said once');
      t.match((await scene.metrics.incomplete.get()).values, [{ value: taken }]);
    });
  }
}

t.test('a take-over does not report again what was set aside when it was counted', async (t) => {
  const scene = new Scene(t, 'last');
  const { database, spoilt, entries } = scene.memory;
  database.put('polls', 'q', JSON.stringify({ round: 1 }));
  const first = await scene.count(NEVER);
  await scene.settled(true);
  scene.vote(['d']);
  spoilt.set(entries.at(-1)?.offset ?? '', 'damaged');
  scene.vote(['e']);
  await scene.settled();
  await first.close();
  await scene.count(NEVER);
  scene.vote(['f']);
  await scene.settled();
  t.match(database.slice(0, 'q', 1), { missing: 1, accounting: { counted: 2 } });
  t.match((await scene.metrics.incomplete.get()).values, [{ value: 0 }]);
  t.match((await scene.metrics.unreadable.get()).values, [{ value: 1 }]);
});

t.test('an export of ballots has no vote that is counted while it is read', async (t) => {
  const scene = new Scene(t, 'last');
  const voters = many('d');
  scene.vote(voters);
  const first = await scene.count(NEVER);
  await scene.settled(true);
  await first.close();
  await scene.count(NEVER);
  scene.vote(voters, 'b');
  await scene.settled();
  const all = scene.memory.store.ballots.all(0, 'q', 1)[Symbol.asyncIterator]();
  const found = [(await all.next()).value];
  scene.vote(voters, 'c');
  await scene.settled();
  t.match(await scene.ballots(['d0']), [{ choice: 'c' }]);
  for (let next = await all.next(); !next.done; next = await all.next()) found.push(next.value);
  t.same(new Set(found.map((one) => one?.[1].choice)), new Set(['b']));
  t.equal(found.length, voters.length);
});

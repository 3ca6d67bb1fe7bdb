import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EmbeddedStore } from '../../core/store/embedded/store.ts';
import { CONTRACT_PARTITIONS, storeContract } from './contract.ts';

const entry = { type: 'close', poll: 'q', round: 1, atMs: 1 } as const;

storeContract(t, async (t) => {
  const directory = t.testdir();
  return { open: () => new EmbeddedStore({ directory, partitions: CONTRACT_PARTITIONS }) };
});

t.test('one process per data directory', async (t) => {
  const directory = t.testdir();
  const first = new EmbeddedStore({ directory, partitions: 1 });
  await first.start();
  const second = new EmbeddedStore({ directory, partitions: 1 });
  await t.rejects(second.start(), /in use by another pollcast process/);
  await second.stop();
  await first.stop();
  await first.stop();
  const third = new EmbeddedStore({ directory, partitions: 1 });
  await third.start();
  await third.stop();
});

t.test('the number of partitions is fixed at the first start', async (t) => {
  const directory = t.testdir();
  const first = new EmbeddedStore({ directory, partitions: 2 });
  await first.start();
  await first.stop();
  const other = new EmbeddedStore({ directory, partitions: 3 });
  await t.rejects(other.start(), /set POLLCAST_PARTITIONS=2/);
  await other.stop();
  t.throws(() => new EmbeddedStore({ directory, partitions: 0 }), RangeError);
});

t.test('a disk that is as good as full: nothing is written, and everything says so', async (t) => {
  const store = new EmbeddedStore({ directory: t.testdir(), partitions: 1, reserveBytes: Number.MAX_SAFE_INTEGER });
  await store.start();
  const full = { name: 'StoreError', message: /is full: .* MiB free/ };
  await t.rejects(store.log.append(0, entry), full);
  await t.rejects(store.registry.put('polls', 'q', {}), full);
  const nothing = {
    partition: 0,
    expected: '0-0',
    offset: '1-0',
    entries: 1,
    slices: [],
    ballots: [],
    producers: [],
    refused: {},
  };
  await t.rejects(store.counts.commit(nothing), full);
  await store.stop();
});

t.test('a lost vote log is not passed over in silence', async (t) => {
  const directory = t.testdir();
  const store = new EmbeddedStore({ directory, partitions: 1 });
  await store.start();
  const offset = await store.log.append(0, entry);
  await store.counts.commit({
    partition: 0,
    expected: '0-0',
    offset,
    entries: 1,
    slices: [],
    ballots: [],
    producers: [],
    refused: {},
  });
  await store.stop();
  for (const file of ['log.lmdb', 'log.lmdb-lock']) rmSync(join(directory, file), { force: true });
  const again = new EmbeddedStore({ directory, partitions: 1 });
  await t.rejects(again.start(), /restore it from the backup/);
  await again.stop();
});

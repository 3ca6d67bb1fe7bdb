import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EmbeddedStore } from '../../core/store/embedded/store.ts';
import { storeContract } from './contract.ts';
import { CONTRACT_PARTITIONS } from './subject.ts';

const entry = { type: 'close', poll: 'q', round: 1, atMs: 1 } as const;

storeContract(t, async (t) => {
  const directory = t.testdir();
  return { open: () => EmbeddedStore.open({ directory, partitions: CONTRACT_PARTITIONS }) };
});

t.test('only one process can open a data directory', async (t) => {
  const directory = t.testdir();
  const first = await EmbeddedStore.open({ directory, partitions: 1 });
  await t.rejects(EmbeddedStore.open({ directory, partitions: 1 }), /in use by another pollcast process/);
  await first.close();
  await first.close();
  const third = await EmbeddedStore.open({ directory, partitions: 1 });
  await third.close();
});

t.test('a version does not come again after a restart either', async (t) => {
  const directory = t.testdir();
  const versions: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const store = await EmbeddedStore.open({ directory, partitions: 1 });
    versions.push(await store.registry.put('devices', 'x', { i }, 0));
    await store.registry.remove('devices', 'x');
    await store.close();
  }
  t.same(versions, [1, 2, 3]);
});

t.test('the number of partitions cannot be changed after the first start', async (t) => {
  const directory = t.testdir();
  const first = await EmbeddedStore.open({ directory, partitions: 2 });
  await first.close();
  await t.rejects(EmbeddedStore.open({ directory, partitions: 3 }), /set POLLCAST_PARTITIONS=2/);
  await t.rejects(EmbeddedStore.open({ directory, partitions: 0 }), RangeError);
  const again = await EmbeddedStore.open({ directory, partitions: 2 });
  await again.close();
});

t.test('on an almost full disk, every write fails with a clear error', async (t) => {
  const reserveBytes = Number.MAX_SAFE_INTEGER;
  const store = await EmbeddedStore.open({ directory: t.testdir(), partitions: 1, reserveBytes });
  const full = { name: 'StoreError', message: /is full: .* MiB free/ };
  await t.rejects(store.log.append(0, entry), full);
  await t.rejects(store.registry.put('polls', 'q', {}), full);
  const nothing = {
    partition: 0,
    expected: '0-0',
    expectedCheckpoint: undefined,
    offset: '1-0',
    entries: 1,
    slices: [],
    producers: [],
    refused: {},
  };
  await t.rejects(store.counts.commit(nothing), full);
  t.match(store.condition(), { ok: false, reason: full.message });
  await store.close();
});

t.test('a store cannot be opened if its vote log is missing', async (t) => {
  const directory = t.testdir();
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  const offset = await store.log.append(0, entry);
  await store.counts.commit({
    partition: 0,
    expected: '0-0',
    expectedCheckpoint: undefined,
    offset,
    entries: 1,
    slices: [],
    producers: [],
    refused: {},
  });
  await store.close();
  for (const file of ['log.lmdb', 'log.lmdb-lock']) rmSync(join(directory, file), { force: true });
  await t.rejects(EmbeddedStore.open({ directory, partitions: 1 }), /restore it from the same backup as state\.lmdb/);
});

t.test('a store that fails to open releases its data directory', async (t) => {
  const directory = t.testdir({ 'state.lmdb': {} });
  await t.rejects(EmbeddedStore.open({ directory, partitions: 1 }), /directory/);
  rmSync(join(directory, 'state.lmdb'), { recursive: true });
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  await store.close();
});

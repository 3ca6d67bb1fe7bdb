import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { cursor } from '../samples.ts';
import { copyOf, DAMAGES, entryAt, filledDirectory, overwrite, PARTITIONS } from './filled.ts';

const FILES = ['log.lmdb', 'state.lmdb'] as const;
const filled = await filledDirectory(t);
const all = { limit: 1_000, waitMs: 0 };

t.test('a damaged file is named with what is wrong and what helps, and nothing is changed', async (t) => {
  for (const file of FILES)
    for (const [name, damage] of Object.entries(DAMAGES)) {
      await t.test(`${file}: ${name}`, async (t) => {
        const directory = copyOf(t, filled);
        damage(join(directory, file));
        const before = FILES.map((one) => readFileSync(join(directory, one)));
        const message = new RegExp(`${file} is damaged: .*\\n.*backup.*pollcast repair --data-dir ${directory}`);
        await t.rejects(EmbeddedStore.open({ directory, partitions: PARTITIONS }), { message });
        t.same(
          FILES.map((one) => readFileSync(join(directory, one))),
          before,
        );
      });
    }
});

t.test('a missing or empty file is named with what helps', async (t) => {
  const ways = {
    missing: (path: string) => rmSync(path),
    empty: (path: string) => writeFileSync(path, ''),
  };
  const messages = {
    'log.lmdb': /log\.lmdb is missing from .* restore it from the same backup as state\.lmdb/,
    'state.lmdb': /state\.lmdb is missing from .* run "pollcast repair --data-dir /,
  };
  for (const file of FILES)
    for (const [way, spoil] of Object.entries(ways)) {
      await t.test(`${file}: ${way}`, async (t) => {
        const directory = copyOf(t, filled);
        spoil(join(directory, file));
        const message = messages[file];
        await t.rejects(EmbeddedStore.open({ directory, partitions: PARTITIONS }), { message });
        await t.rejects(EmbeddedStore.open({ directory, partitions: PARTITIONS }), { message }, 'also the second time');
      });
    }
});

t.test('a log and a state of different deployments are not used together', async (t) => {
  const directory = copyOf(t, filled);
  await t.test('another deployment', async (t) => {
    const other = await filledDirectory(t);
    writeFileSync(join(directory, 'log.lmdb'), readFileSync(join(other, 'log.lmdb')));
  });
  await t.rejects(EmbeddedStore.open({ directory, partitions: PARTITIONS }), { message: /different deployments/ });
});

t.test('whatever is overwritten, a start reports it or everything can be read', async (t) => {
  const directory = copyOf(t, filled);
  const originals = new Map(FILES.map((file) => [file, readFileSync(join(directory, file))]));
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FILES),
      fc.nat(2 ** 31),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      async (file, place, bytes) => {
        for (const [name, content] of originals) writeFileSync(join(directory, name), content);
        const { length } = originals.get(file) as Buffer;
        overwrite(join(directory, file), place % (length - bytes.length), Buffer.from(bytes));
        let store: EmbeddedStore;
        try {
          store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
        } catch (error) {
          refused++;
          t.match((error as Error).message, `${file} is damaged`);
          return;
        }
        for (let partition = 0; partition < PARTITIONS; partition++) {
          await store.counts.position(partition);
          await store.counts.slice(partition, 'q', 1);
          await store.changes.read(cursor(partition), all);
          await store.counts.stored(partition, 'q', 1);
          // What an entry says may have changed; that is found when it is decoded.
          await store.log.read(cursor(partition), all).catch(() => {});
        }
        await store.registry.list('devices');
        await store.close();
      },
    ),
    { numRuns: 150, endOnFailure: true },
  );
  t.ok(refused > 10, `${refused} starts were refused`);
});

t.test('after a crash, every page is examined, and sound files are opened', async (t) => {
  const directory = copyOf(t, filled);
  rmSync(join(directory, 'stopped.json'));
  const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
  const entries = (await store.log.read(cursor(1), all)).get(1) ?? [];
  t.same(
    entries.map(({ entry }) => entry),
    entries.map((_, i) => entryAt(1, i + 1)),
  );
  await store.close();
});

t.test('after a stop, a page that was damaged since is still found if the file shows a change', async (t) => {
  const directory = copyOf(t, filled);
  const path = join(directory, 'log.lmdb');
  overwrite(path, 40_960, Buffer.alloc(4_096, 'x'));
  utimesSync(path, new Date(), new Date());
  await t.rejects(EmbeddedStore.open({ directory, partitions: PARTITIONS }), { message: /log\.lmdb is damaged/ });
});

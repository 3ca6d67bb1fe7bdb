import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { DirectoryLock } from '../../../core/store/embedded/files/lock.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { Writer } from '../../../core/store/embedded/writer.ts';
import { eventually } from '../../support/eventually.ts';
import { cursor, read, votes } from '../samples.ts';

const USED = /in use by another pollcast process/;

t.test('a directory is locked whatever path leads to it, and however long that is', async (t) => {
  const base = t.testdir({ data: {} });
  const direct = join(base, 'data');
  const link = join(base, 'l'.repeat(120));
  symlinkSync(direct, link);
  for (const [first, second] of [
    [direct, link],
    [link, direct],
    [`${base}/./data/../data/`, link],
  ] as const) {
    const store = await EmbeddedStore.open({ directory: first, partitions: 1 });
    await t.rejects(EmbeddedStore.open({ directory: second, partitions: 1 }), USED);
    await store.close();
  }
});

t.test('a directory stays locked when everything but its data is deleted', async (t) => {
  const directory = t.testdir();
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.lmdb')) rmSync(join(directory, name));
  }
  await t.rejects(EmbeddedStore.open({ directory, partitions: 1 }), USED);
  await store.log.append(0, votes(0));
  await store.close();
});

t.test('of several processes that take a lock at once, exactly one gets it', async (t) => {
  const directory = t.testdir();
  const winners: number[] = [];
  for (let spin = 0; spin < 200; spin++) {
    const takers = Array.from({ length: 4 }, () => DirectoryLock.take(directory).catch(() => undefined));
    const locks = (await Promise.all(takers)).filter((lock) => lock !== undefined);
    winners.push(locks.length);
    for (const lock of locks) await lock.release();
  }
  t.same(
    winners.filter((count) => count !== 1),
    [],
  );
});

t.test('a log notices a second writer that got past the lock, and stores nothing more', async (t) => {
  const directory = t.testdir();
  const taken: string[] = [];
  const onTakenOver = (reason: string) => void taken.push(reason);
  const first = await EmbeddedStore.open({ directory, partitions: 1, onTakenOver });
  await first.log.append(0, votes(0));
  const file = open({ path: join(directory, 'log.lmdb'), noSubdir: true, overlappingSync: false, maxDbs: 16 });
  await Writer.take(file);
  const refused = { name: 'StoreError', message: /another pollcast process has taken over the data directory/ };
  await Promise.all([1, 2, 3].map((i) => t.rejects(first.log.append(0, votes(i)), refused)));
  await t.rejects(first.registry.put('polls', 'q', {}), refused);
  t.equal((await first.log.read(cursor(0), read)).get(0)?.length, 1);
  t.match(first.condition(), { ok: false, reason: refused.message });
  t.equal(taken.length, 1);
  await first.close();
  await file.close();
});

t.test('nothing is acknowledged while a file cannot be examined, and the process goes on', async (t) => {
  const directory = t.testdir();
  const changes: (string | undefined)[] = [];
  const onChange = (reason: string | undefined) => void changes.push(reason);
  const store = await EmbeddedStore.open({ directory, partitions: 1, onChange });
  const path = join(directory, 'log.lmdb');
  renameSync(path, join(directory, 'away'));
  symlinkSync(path, path);
  const message = /^log.lmdb in .* cannot be examined \(ELOOP\); votes are not acknowledged/;
  // The regular check finds it, without any append.
  await eventually('the check', async () => (changes.length > 0 ? true : undefined));
  t.match(changes, [message]);
  await t.rejects(store.log.append(0, votes(1)), { name: 'StoreError', message });
  t.match(store.condition(), { ok: false, reason: message });
  rmSync(path);
  renameSync(join(directory, 'away'), path);
  await eventually('the next check', async () => (changes.length > 1 ? true : undefined));
  t.match(changes, [message, undefined]);
  await store.log.append(0, votes(2));
  await store.close();
});

t.test('nothing is acknowledged once a file is not at its path any more', async (t) => {
  for (const name of ['log.lmdb', 'state.lmdb'])
    for (const replacement of [undefined, 'another file']) {
      const directory = t.testdir();
      const changes: (string | undefined)[] = [];
      const onChange = (reason: string | undefined) => void changes.push(reason);
      const store = await EmbeddedStore.open({ directory, partitions: 1, onChange });
      await store.log.append(0, votes(0));
      renameSync(join(directory, name), join(directory, 'away'));
      if (replacement !== undefined) writeFileSync(join(directory, name), replacement);
      const what = replacement === undefined ? 'is gone' : 'was replaced by another file';
      const refused = { name: 'StoreError', message: new RegExp(`^${name} in .* ${what} .* not acknowledged`) };
      await t.rejects(store.log.append(0, votes(1)), refused);
      await t.rejects(store.registry.put('polls', 'q', {}), refused);
      t.match(store.condition(), { ok: false, reason: refused.message });
      renameSync(join(directory, 'away'), join(directory, name));
      t.same(store.condition(), { ok: true }, 'once the file is back, votes are stored again');
      await store.log.append(0, votes(2));
      t.equal(changes.filter(Boolean).length, 1, 'it is reported once');
      await store.close();
    }
});

t.test('a directory that is removed while an entry is being stored takes no acknowledgement with it', async (t) => {
  const directory = t.testdir({ data: {} });
  const data = join(directory, 'data');
  for (let i = 0; i < 20; i++) {
    mkdirSync(data, { recursive: true });
    const store = await EmbeddedStore.open({ directory: data, partitions: 1 });
    const append = store.log.append(0, votes(i)).then(
      () => 'stored',
      () => 'refused',
    );
    if (i % 2) await new Promise((resolve) => setImmediate(resolve));
    rmSync(data, { recursive: true });
    t.equal(await append, 'refused');
    await store.close();
  }
});

t.test('a data directory belongs to its owner alone', { skip: process.platform === 'win32' }, async (t) => {
  const rights = (path: string) => statSync(path).mode & 0o777;
  const mended: string[] = [];
  const open = async (directory: string) => {
    const report = (message: string) => void mended.push(message);
    await (await EmbeddedStore.open({ directory, partitions: 1, report })).close();
  };
  const base = t.testdir({ readable: {} });
  await open(join(base, 'new', 'data'));
  t.equal(rights(join(base, 'new', 'data')), 0o700, 'also if the umask would let others read it');
  t.same(mended, []);

  const readable = join(base, 'readable');
  const files = () => readdirSync(readable).filter((name) => /\.lmdb/.test(name));
  await open(readable);
  mended.length = 0;
  for (const mode of [0o755, 0o750, 0o701, 0o777]) {
    chmodSync(readable, mode);
    for (const name of files()) chmodSync(join(readable, name), 0o644);
    await open(readable);
    t.equal(rights(readable), 0o700, `from ${mode.toString(8)}`);
    for (const name of files()) t.equal(rights(join(readable, name)), 0o600, name);
  }
  t.equal(mended.length, 4);
  t.match(mended[0], readable);
  await open(readable);
  t.equal(mended.length, 4, 'said only when there was something to mend');

  chmodSync(readable, 0o1777);
  await t.rejects(open(readable), /shared by all accounts/, 'as /tmp is, which must stay as it is');
  t.equal(statSync(readable).mode & 0o7777, 0o1777);
});

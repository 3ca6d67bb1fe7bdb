import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { repair } from '../../../app/recovery/repair.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { encodeEntry } from '../../../core/voting/count/entries/codec.ts';
import { jsonOf } from '../../../core/voting/count/entries/json.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { cursor } from '../samples.ts';
import { copyOf, DAMAGES, ENTRIES, entryAt, filledDirectory, overwrite, PARTITIONS } from './filled.ts';

const filled = await filledDirectory(t);
const all = { limit: 1_000, waitMs: 0 };

t.test('a sound directory is left as it is', async (t) => {
  const directory = copyOf(t, filled);
  const before = readdirSync(directory);
  t.same(await repair(directory), { is: 'sound' });
  t.same(readdirSync(directory), before);
});

t.test('a directory that is in use is not repaired', async (t) => {
  const directory = copyOf(t, filled);
  const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
  await t.rejects(repair(directory), /in use by another pollcast process/);
  await store.close();
});

const LOSSES = {
  ...DAMAGES,
  missing: (path: string) => rmSync(path),
  empty: (path: string) => writeFileSync(path, ''),
};
for (const [name, damage] of Object.entries(LOSSES)) {
  t.test(`a state is rebuilt from the log: ${name}`, async (t) => {
    const directory = copyOf(t, filled);
    const path = join(directory, 'state.lmdb');
    damage(path);
    const damaged = name === 'missing' || name === 'empty' ? undefined : readFileSync(path);
    const outcome = await repair(directory);
    t.match(outcome, { is: 'rebuilt', polls: 1 });
    if (damaged) t.same(readFileSync(`${path}.damaged-1`), damaged, 'the damaged file is kept');
    const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
    t.match(await store.registry.get<Poll>('polls', 'q'), {
      value: { status: 'open', round: 1, definition: { poll: 'q' } },
    });
    const { offset } = await store.counts.position(0);
    t.equal(offset, '0-0', 'everything is counted again');
    t.equal((await store.log.read(cursor(0), all)).get(0)?.length, ENTRIES);
    const devices = (await store.registry.list('devices')).length;
    t.equal(devices, outcome.is === 'rebuilt' ? (outcome.kept.devices ?? 0) : -1);
    if (damaged && devices < 60) t.match(outcome, { areIncomplete: true }, 'what is missing is not hidden');
    if (name === 'zeroed meta pages') t.match([devices, outcome], [60, { areOld: true }]);
    await store.close();
    t.same(await repair(directory), { is: 'sound' });
  });
}

t.test('entries that cannot be read do not stop a state from being rebuilt', async (t) => {
  const directory = copyOf(t, filled);
  const root = open({ path: join(directory, 'log.lmdb'), noSubdir: true, overlappingSync: false, maxDbs: 16 });
  const table = root.openDB<Buffer, [number, number]>({ name: 'log', encoding: 'binary' });
  const texts = ['{"v":1,"type":"votes","rou', 'null', '{"v":1,"type":"open","poll":"r"}', '{"v":99,"type":"open"}'];
  for (const [i, text] of texts.entries()) await table.put([1, ENTRIES + 1 + i], Buffer.from(text));
  await table.put([1, ENTRIES + 5], encodeEntry({ type: 'close', poll: 'q', round: 1, atMs: 9 }));
  await root.close();
  rmSync(join(directory, 'state.lmdb'));
  t.match(await repair(directory), { is: 'rebuilt', polls: 1, unreadable: texts.length, uncounted: [] });
  const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
  t.match(await store.registry.get<Poll>('polls', 'q'), { value: { status: 'closing', closedAtMs: 9 } });
  await store.close();
});

t.test('rounds whose opening was removed from the log are named', async (t) => {
  const directory = copyOf(t, filled);
  const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
  // All of these entries are old, but the votes are not.
  t.equal(await store.log.trim(1, 2, `${ENTRIES}-0`), 1);
  const close: Entry = { type: 'close', poll: 'trimmed', round: 2, atMs: 9 };
  await store.log.append(0, close);
  await store.close();
  rmSync(join(directory, 'state.lmdb'));
  t.match(await repair(directory), {
    is: 'rebuilt',
    uncounted: [
      { poll: 'q', round: 1 },
      { poll: 'trimmed', round: 2 },
    ],
  });
});

t.test('documents that cannot be read are mentioned, and entries that were set aside are kept', async (t) => {
  const directory = copyOf(t, filled);
  const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
  await store.registry.put('dead', '0/7', { partition: 0 });
  await store.close();
  const path = join(directory, 'state.lmdb');
  const content = readFileSync(path);
  for (let at = 8_192; at < content.length; at += 4_096) {
    if (content.subarray(at, at + 4_096).includes('"id":"d3"')) content.fill('damage', at, at + 64);
  }
  writeFileSync(path, content);
  const outcome = await repair(directory);
  t.match(outcome, { is: 'rebuilt', areIncomplete: true, areOld: false, kept: { dead: 1 } });
  t.ok(outcome.is === 'rebuilt' && Number(outcome.kept.devices) < 60);
});

for (const [name, damage] of Object.entries(DAMAGES)) {
  t.test(`what is readable of a log is exported, with what is missing: ${name}`, async (t) => {
    const directory = copyOf(t, filled);
    const path = join(directory, 'log.lmdb');
    damage(path);
    const before = [readFileSync(path), readFileSync(join(directory, 'state.lmdb'))];
    const outcome = await repair(directory);
    if (outcome.is !== 'exported') return t.fail(outcome.is);
    t.same([readFileSync(path), readFileSync(join(directory, 'state.lmdb'))], before);
    const [header, ...lines] = readFileSync(outcome.file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.match(header, { entries: outcome.entries, missing: outcome.missing });
    t.equal(lines.length, outcome.entries);
    for (const { partition, offset, entry } of lines) {
      t.equal(entry, jsonOf(entryAt(partition, Number.parseInt(offset, 10))));
    }
    const absent = outcome.missing.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    t.equal(outcome.entries + absent, PARTITIONS * ENTRIES, 'each entry is exported or named as missing');
    if (name.includes('zeroed')) t.equal(outcome.entries, PARTITIONS * ENTRIES, 'without its meta pages, all is found');
    if (name === 'cut to half') t.ok(outcome.entries > 0);
    const again = await repair(directory);
    t.match(again, { is: 'exported', file: /exported-2$/ }, 'an export is not overwritten');
  });
}

t.test('of a log with damage in its middle, everything else is exported', async (t) => {
  const directory = copyOf(t, filled);
  const path = join(directory, 'log.lmdb');
  overwrite(path, 4_096 * 40, Buffer.alloc(4_096 * 3, 'damage'));
  const outcome = await repair(directory);
  if (outcome.is !== 'exported') return t.fail(outcome.is);
  t.ok(outcome.entries > PARTITIONS * ENTRIES * 0.8, `${outcome.entries} entries`);
  t.ok(outcome.missing.length > 0);
});

t.test('without a log, nothing is done', async (t) => {
  const directory = copyOf(t, filled);
  rmSync(join(directory, 'log.lmdb'));
  const before = readdirSync(directory);
  await t.rejects(repair(directory), /no vote log .* restore it from a backup/);
  t.same(readdirSync(directory), before);
});

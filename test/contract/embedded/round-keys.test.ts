import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repair } from '../../../app/recovery/repair.ts';
import { RoundKeys } from '../../../core/store/embedded/files/round-keys.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { filledDirectory, PARTITIONS } from './filled.ts';

const [KEY, OTHER] = ['round-key-1-'.repeat(4), 'round-key-2-'.repeat(4)];
const poll = (pseudonymKey?: string, more: object = {}) => ({
  definition: { poll: 'q', secrecy: 'secret' },
  status: 'open',
  round: 1,
  ...(pseudonymKey === undefined ? {} : { pseudonymKey }),
  ...more,
});

/** The files of a directory, below it as well, that contain a text. */
function filesWith(directory: string, text: string): string[] {
  const names = readdirSync(directory, { recursive: true }) as string[];
  return names.filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

const keyFiles = (directory: string) => filesWith(directory, 'round-key-');

t.test('the key of a secret round is in a file of its own, and nowhere once it is removed', async (t) => {
  const directory = t.testdir();
  const open = () => EmbeddedStore.open({ directory, partitions: 1 });
  let store = await open();
  const { registry } = store;
  const heard: string[] = [];
  registry.watch((_, id) => heard.push(id));
  await registry.put('polls', 'q', poll(KEY), 0);
  t.match((await registry.get('polls', 'q'))?.value, { pseudonymKey: KEY });
  t.match(await registry.list('polls'), [{ id: 'q', value: { pseudonymKey: KEY } }]);
  const [file = ''] = keyFiles(directory);
  t.match(file, /^keys/);
  t.equal(statSync(join(directory, file)).mode & 0o777, 0o600);

  await registry.put('polls', 'q', poll(KEY, { round: 2 }), 1);
  t.same(keyFiles(directory), [file], 'the same key stays in its file');
  t.equal(await registry.put('polls', 'q', poll(OTHER), 1), undefined, 'refused because of the version');
  t.same(keyFiles(directory), [file], 'a key that was not stored leaves nothing behind');
  await store.close();

  store = await open();
  t.match((await store.registry.get('polls', 'q'))?.value, { pseudonymKey: KEY, round: 2 });
  await store.registry.put('polls', 'q', poll(OTHER));
  t.same(filesWith(directory, KEY), [], 'another round has another key');
  t.equal(filesWith(directory, OTHER).length, 1);
  await store.registry.put('polls', 'q', poll(undefined, { status: 'closed' }));
  t.same(keyFiles(directory), [], 'destroyed while the process runs');
  await store.registry.put('polls', 'r', { ...poll(KEY), definition: { poll: 'r', secrecy: 'secret' } });
  await store.registry.remove('polls', 'r');
  await store.close();
  t.same(keyFiles(directory), []);
  t.same(readdirSync(join(directory, 'keys')), []);
});

t.test('a key whose round was closed when the process was killed is destroyed at the next start', async (t) => {
  const directory = t.testdir();
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  await store.registry.put('polls', 'q', poll(KEY));
  const [file = ''] = keyFiles(directory);
  const key = readFileSync(join(directory, file));
  await store.registry.put('polls', 'q', poll());
  await store.close();
  t.notOk(existsSync(join(directory, file)));
  writeFileSync(join(directory, file), key);
  await (await EmbeddedStore.open({ directory, partitions: 1 })).close();
  t.same(keyFiles(directory), []);
});

t.test('without its key, a secret round cannot go on under the names of its voters', async (t) => {
  const directory = await filledDirectory(t);
  const open = () => EmbeddedStore.open({ directory, partitions: PARTITIONS });
  let store = await open();
  await store.registry.put('polls', 'q', poll(KEY));
  await store.close();
  rmSync(join(directory, 'keys'), { recursive: true });
  await t.rejects(open(), /key of a secret round.*pollcast repair/);
  await t.rejects(open(), /key of a secret round/, 'and the directory is not left locked');
  t.match(await repair(directory), { is: 'rebuilt', why: /key of a secret round/, polls: 1 });
  store = await open();
  const found = await store.registry.get<Poll>('polls', 'q');
  t.match(found, { value: { status: 'closing', round: 1, pseudonymKey: undefined } }, 'voting ends');
  await store.close();
});

t.test('a secret round that was opening gets another key if its own is lost', async (t) => {
  const directory = await filledDirectory(t);
  const open = () => EmbeddedStore.open({ directory, partitions: PARTITIONS });
  let store = await open();
  // One round has no marker in the log yet, the other none at all.
  await store.registry.put('polls', 'q', poll(KEY, { status: 'opening', round: 2 }));
  await store.registry.put('polls', 'new', {
    ...poll(OTHER),
    definition: { poll: 'new', secrecy: 'secret' },
    status: 'opening',
  });
  await store.close();
  rmSync(join(directory, 'keys'), { recursive: true });
  t.match(await repair(directory), { is: 'rebuilt' });
  store = await open();
  for (const id of ['q', 'new']) {
    const { value } = (await store.registry.get<Poll>('polls', id)) ?? {};
    t.match(value, { status: 'opening', pseudonymKey: /^[\w-]{40,}$/ }, id);
    t.not(value?.pseudonymKey, id === 'q' ? KEY : OTHER);
    t.match(filesWith(directory, value?.pseudonymKey ?? ''), [/^keys/], 'not in the rebuilt state');
  }
  await store.close();
});

t.test('a key that cannot be destroyed is reported, and destroyed later', async (t) => {
  const directory = t.testdir();
  const reports: string[] = [];
  const keys = new RoundKeys(directory, (message) => reports.push(message));
  const stored = keys.sealed('polls', poll(KEY));
  const [file = ''] = keyFiles(directory);
  // A directory in the place of the file cannot be written to.
  rmSync(join(directory, file));
  mkdirSync(join(directory, file));
  keys.destroyReplaced('polls', stored, poll());
  t.match(reports, [/could not be destroyed/]);
  rmdirSync(join(directory, file));
  writeFileSync(join(directory, file), KEY);
  keys.destroyReplaced('polls', poll(), poll());
  t.same(keyFiles(directory), []);
  t.equal(reports.length, 1);
});

t.test('keys of pseudonymous polls, which are kept, stay with the poll', async (t) => {
  const directory = t.testdir();
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  await store.registry.put('polls', 'p', { definition: { poll: 'p', secrecy: 'pseudonymous' }, pseudonymKey: KEY });
  t.match((await store.registry.get('polls', 'p'))?.value, { pseudonymKey: KEY });
  await store.close();
  t.notOk(existsSync(join(directory, 'keys')));
});

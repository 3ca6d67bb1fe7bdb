import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { newPseudonymKey } from '../../core/devices/pseudonym.ts';
import { createLog } from '../../core/runtime/log.ts';
import { Recipient, sealFor } from '../../core/store/redis/round-keys/sealed-message.ts';
import { RedisStore } from '../../core/store/redis/store.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { eventually } from '../support/eventually.ts';
import { redisServer } from '../support/servers.ts';

const SECRET = { definition: { poll: 'q', secrecy: 'secret' }, status: 'open', round: 1 };
/** A key that no document refers to is kept for less than this (ms). */
const LONG_AGO_MS = 600_000;

/** A Redis whose append-only file can be read, and stores that use it. */
async function deployment(t: Test) {
  const directory = t.testdir({ redis: {} });
  const server = await redisServer(join(directory, 'redis'));
  t.teardown(() => server.program.end());
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const open = async (keysDirectory?: string, log = createLog('silent')) => {
    const options = { url: server.url, prefix, partitions: 1, durability: 'append', replicas: 1 } as const;
    const store = await RedisStore.open({ ...options, keysDirectory }, log);
    t.teardown(() => store.close());
    return store;
  };
  const isInRedis = async (text: string) => {
    const direct = new Redis(server.url);
    await direct.config('SET', 'rdbcompression', 'no');
    await direct.bgrewriteaof();
    await eventually('the rewrite', async () =>
      (await direct.info('persistence')).includes('aof_rewrite_in_progress:0') ? true : undefined,
    );
    direct.disconnect();
    return filesWith(join(directory, 'redis'), text).length > 0;
  };
  return { directory, server, prefix, open, isInRedis };
}

function filesWith(directory: string, text: string): string[] {
  if (!existsSync(directory)) return [];
  return (readdirSync(directory, { recursive: true }) as string[]).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

const keyIn = async ({ registry }: RedisStore) => (await registry.get<Poll>('polls', 'q'))?.value.pseudonymKey;

t.test('every process has the key of a secret round, and Redis never', async (t) => {
  const { directory, open, isInRedis } = await deployment(t);
  const [one, two] = [await open(), await open()];
  const key = newPseudonymKey();
  await one.registry.put('polls', 'q', { ...SECRET, pseudonymKey: key }, 0);
  t.equal(await keyIn(two), key);
  t.match(await two.registry.list('polls'), [{ id: 'q', value: { pseudonymKey: key } }]);
  t.notOk('keyName' in ((await two.registry.get<Poll>('polls', 'q'))?.value ?? {}));
  const late = await open();
  t.equal(await keyIn(late), key, 'a process that starts later gets it too');
  await one.close();
  t.equal(await keyIn(await open()), key, 'also from others than the one that made it');
  t.same(filesWith(join(directory, 'redis'), key), [], 'the append-only file never has it');
  t.notOk(await isInRedis(key));
  const two2 = await two.registry.get<Poll>('polls', 'q');
  await two.registry.put('polls', 'q', { ...two2?.value, pseudonymKey: undefined, status: 'closed' });
  for (const store of [two, late, await open()])
    t.equal(await keyIn(store), undefined, 'forgotten by all at the close');
  await late.registry.put('polls', 'q', { ...SECRET, round: 2, pseudonymKey: newPseudonymKey() });
  t.not(await keyIn(two), key);
  t.same(filesWith(join(directory, 'redis'), key), []);
});

t.test('with a data directory, the key survives a stop of all processes, and is destroyed at the close', async (t) => {
  const { directory, open } = await deployment(t);
  const [here, there] = [join(directory, 'here'), join(directory, 'there')];
  const key = newPseudonymKey();
  const [one, two] = [await open(here), await open(there)];
  await one.registry.put('polls', 'q', { ...SECRET, pseudonymKey: key });
  t.equal(await keyIn(two), key);
  const [file = ''] = filesWith(there, key);
  t.equal(statSync(join(there, file)).mode & 0o777, 0o600);
  await Promise.all([one.close(), two.close()]);

  const [again, other] = [await open(here), await open(there)];
  for (const store of [again, other]) t.equal(await keyIn(store), key);
  await again.registry.put('polls', 'q', { ...SECRET, status: 'closed' });
  t.same(filesWith(here, key), []);
  t.equal(await keyIn(other), undefined);
  t.same(filesWith(directory, key), [], 'in each process that learns of it');
  await other.close();

  // A process that was killed before the close.
  writeFileSync(join(there, file), key);
  t.match(await (await open(there)).registry.list('polls'), [{ id: 'q' }]);
  t.equal(filesWith(there, key).length, 1, 'a new key may belong to a document that is not written yet');
  const past = (Date.now() - LONG_AGO_MS) / 1_000;
  utimesSync(join(there, file), past, past);
  await (await open(there)).registry.list('polls');
  t.same(filesWith(there, key), [], 'destroyed once that process is back');
});

t.test('a key that no process has is not lost by a write, and is found once a process has it again', async (t) => {
  const { directory, open } = await deployment(t);
  const kept = join(directory, 'kept');
  const key = newPseudonymKey();
  const one = await open(kept);
  await one.registry.put('polls', 'q', { ...SECRET, pseudonymKey: key });
  await one.close();
  const two = await open();
  const heard: string[] = [];
  two.registry.watch((_, id) => heard.push(id));
  const { value } = (await two.registry.get<Poll>('polls', 'q')) ?? {};
  t.match(value, { status: 'open', pseudonymKey: undefined, missingKey: /^[\w-]{32}$/ });
  await two.registry.put('polls', 'q', { ...value, curtain: true });
  await two.registry.caughtUp();
  heard.length = 0;
  await open(kept);
  await eventually('a notice', async () => (heard.includes('q') ? true : undefined));
  t.match((await two.registry.get('polls', 'q'))?.value, { curtain: true, pseudonymKey: key, missingKey: undefined });
});

t.test('a key whose poll could not be stored is forgotten', async (t) => {
  const { directory, open } = await deployment(t);
  const store = await open(join(directory, 'keys'));
  await store.registry.put('polls', 'q', { ...SECRET, status: 'draft' });
  const key = newPseudonymKey();
  t.equal(await store.registry.put('polls', 'q', { ...SECRET, pseudonymKey: key }, 7), undefined);
  t.same(filesWith(directory, key), []);
});

t.test('a data directory that cannot be written costs a warning, and nothing else', async (t) => {
  const { directory, open } = await deployment(t);
  writeFileSync(join(directory, 'file'), '');
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const store = await open(join(directory, 'file'), log);
  for (const poll of ['q', 'r'])
    await store.registry.put('polls', poll, { ...SECRET, pseudonymKey: newPseudonymKey() });
  t.ok(await keyIn(store));
  t.equal(lines.filter((line) => line.includes('in memory only')).length, 1, 'once');
});

t.test('the key of a round that an earlier version opened is used, and removed from the document', async (t) => {
  const { server, prefix, open } = await deployment(t);
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const [one, two] = [await open(undefined, log), await open()];
  const direct = new Redis(server.url);
  t.teardown(() => direct.disconnect());
  const documents = `{${prefix}:registry}:polls`;
  const key = newPseudonymKey();
  await direct.hset(documents, 'q', `1 ${JSON.stringify({ ...SECRET, pseudonymKey: key })}`);
  const { value } = (await one.registry.get<Poll>('polls', 'q')) ?? {};
  t.equal(value?.pseudonymKey, key);
  t.match(lines.join(), /BGREWRITEAOF/);
  await one.registry.put('polls', 'q', { ...value, curtain: true }, 1);
  t.notMatch(await direct.hget(documents, 'q'), key);
  t.equal(await keyIn(two), key);
});

t.test('the keys of pseudonymous polls, which are kept, stay with the poll', async (t) => {
  const { open } = await deployment(t);
  const store = await open();
  const poll = { definition: { poll: 'p', secrecy: 'pseudonymous' }, pseudonymKey: newPseudonymKey() };
  await store.registry.put('polls', 'p', poll);
  await store.close();
  t.match(await (await open()).registry.get('polls', 'p'), { value: poll });
});

t.test('what is sealed for a process can be opened by that process alone, unchanged', async (t) => {
  const [one, two] = [new Recipient(), new Recipient()];
  const sealed = sealFor(one.address, 'the key', 'a purpose');
  t.equal(one.open(sealed, 'a purpose'), 'the key');
  t.equal(one.open(sealed, 'another'), undefined);
  t.equal(two.open(sealed, 'a purpose'), undefined);
  t.not(sealFor(one.address, 'the key', 'a purpose'), sealed);
  for (const odd of ['', '.', 'x', `${sealed}x`, sealed.slice(0, -2), randomBytes(80).toString('base64url')]) {
    t.equal(one.open(odd, 'a purpose'), undefined, odd);
  }
  t.throws(() => sealFor('no address', 'the key', 'a purpose'));
});

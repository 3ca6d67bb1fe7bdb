import { join } from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import t from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { EmbeddedStore } from '../../core/store/embedded/store.ts';
import { RedisStore } from '../../core/store/redis/store.ts';
import { jsonOf } from '../../core/voting/count/entries/json.ts';
import type { FoundEntry } from '../../core/voting/count/entry.ts';
import { eventually } from '../support/eventually.ts';
import { plain } from '../support/plain-entry.ts';
import { pollcast } from '../support/process.ts';
import { redisServer } from '../support/servers.ts';
import { cursor, marker, read, votes } from './samples.ts';

const BYTES = 0xb7;

t.test('embedded: entries of earlier versions are read, with new ones behind them', async (t) => {
  const directory = t.testdir();
  await (await EmbeddedStore.open({ directory, partitions: 1 })).close();
  const root = open({ path: join(directory, 'log.lmdb'), noSubdir: true, overlappingSync: false, maxDbs: 16 });
  const table = root.openDB<string, [number, number]>({ name: 'log', encoding: 'string' });
  const old = [marker('q'), votes(0, 'd/é'), votes(1)];
  for (const [i, entry] of old.entries()) await table.put([0, i + 1], jsonOf(entry));
  await root.close();
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  await store.log.append(0, votes(2, 'ü'));
  const found = (await store.log.read(cursor(0), read)).get(0) ?? [];
  t.same(
    found.map(({ entry }) => plain(entry)),
    [...old, votes(2, 'ü')].map(plain),
  );
  await store.close();

  const shown = await pollcast(['log', 'show', '--data-dir', directory]);
  t.match(shown, {
    code: 0,
    stdout: /^0 1-0 .* open q\/1\n0 2-0 .*votes, entry 0 of run.*\n {2}q\/1: 1 vote\n {4}d\/é a\n/,
  });
  const lines = (await pollcast(['log', 'show', '--data-dir', directory, '--json', '--limit', '4'])).stdout
    .trim()
    .split('\n');
  t.same(
    lines.map((line) => JSON.parse(line).entry.sequence),
    [undefined, 0, 1, 2],
  );
  t.match(await pollcast(['log', 'show', '--data-dir', join(directory, 'none')]), {
    code: 1,
    stderr: /there is no vote log/,
  });
  t.match(await pollcast(['log', 'show', '--data-dir', directory, '--limit', 'x']), { code: 2, stderr: /--limit/ });
});

t.test(
  'Redis: bytes are written once all processors read them, and earlier versions do not take them for damage',
  async (t) => {
    const server = await redisServer(t.testdir());
    t.teardown(() => server.program.end());
    const options = { url: server.url, prefix: 'formats', partitions: 1, durability: 'append', replicas: 0 } as const;
    const store = await RedisStore.open(options, createLog('silent'));
    const client = new Redis(server.url);
    t.teardown(() => Promise.all([store.close(), client.disconnect()]));
    let sequence = 0;
    /** Appends until the newest entry has this format. */
    const written = (format: 1 | 2) =>
      eventually(`format ${format}`, async () => {
        await store.log.append(0, votes(sequence++));
        const [[, fields = []] = []] = await client.xrevrangeBuffer('{formats:0}:log', '+', '-', 'COUNT', 1);
        const isBytes = fields.length === 4 && fields[3]?.[0] === BYTES;
        if (isBytes) t.equal(String(fields[1]), '{"v":2}', 'what earlier versions read');
        return isBytes === (format === 2) ? true : undefined;
      });
    const announce = (id: string, facts: unknown) => store.presence.announce('processor', id, facts, 4_000);

    await written(1);
    await announce('new', { reads: 2 });
    await written(2);
    await announce('old', { reads: 1 });
    await written(1);
    await store.presence.withdraw('processor', 'old');
    await announce('new', { reads: 2 });
    await written(2);
    await announce('older', null);
    await written(1);
    await store.presence.withdraw('processor', 'older');
    await announce('newer', { reads: 3 });
    await written(2);
    await store.log.append(0, marker('r'));

    const found = (await store.log.read(cursor(0), { limit: 10_000, waitMs: 0 })).get(0) ?? [];
    const sequences = found.map(({ entry }: { entry: FoundEntry }) => (entry.type === 'votes' ? entry.sequence : -1));
    t.same(sequences, [...Array.from({ length: sequence }, (_, i) => i), -1], 'both are read');
    const shown = await pollcast([
      'log',
      'show',
      '--redis-url',
      server.url,
      '--redis-prefix',
      'formats',
      '--limit',
      '99999',
    ]);
    t.equal(shown.code, 0, shown.stderr);
    t.equal(shown.stdout.split('\n').filter((line) => line === '    d a').length, sequence);
  },
);

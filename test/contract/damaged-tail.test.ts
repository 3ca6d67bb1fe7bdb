/** Entries that are damaged or removed after they were counted, and before their ballots were stored, in real stores. */

import { join } from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { DeadEntries } from '../../core/store/dead-entries.ts';
import { EmbeddedStore } from '../../core/store/embedded/store.ts';
import type { Offset } from '../../core/store/offset.ts';
import { RedisStore } from '../../core/store/redis/store.ts';
import type { Store } from '../../core/store/store.ts';
import { Counter } from '../../processors/counting/counter.ts';
import type { BallotLimits } from '../../processors/counting/open-rounds.ts';
import { processorMetrics } from '../../processors/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { redisServer } from '../support/servers.ts';
import { marker, votes } from './samples.ts';

/** A checkpoint only where a marker demands one. */
const NEVER: BallotLimits = { votes: 1e9, ms: 1e9, inMemory: 1e9 };
const DAMAGED = '{"type":"votes","rou\0';
const log = createLog('silent');

/** How a store is opened, and what can happen to its log while it is closed. */
interface Kept {
  open(): Promise<Store>;
  damage(offset: Offset): Promise<void>;
  remove(offset: Offset): Promise<void>;
}

const stores: Record<string, (t: Test) => Promise<Kept>> = {
  embedded: async (t) => {
    const directory = t.testdir();
    const change = async (offset: Offset, bytes?: Buffer) => {
      const root = open({ path: join(directory, 'log.lmdb'), noSubdir: true, maxDbs: 16 });
      const table = root.openDB<Buffer, [number, number]>({ name: 'log', encoding: 'binary' });
      const key: [number, number] = [0, Number.parseInt(offset, 10)];
      t.ok(table.doesExist(key));
      await (bytes ? table.put(key, bytes) : table.remove(key));
      await root.close();
    };
    return {
      open: () => EmbeddedStore.open({ directory, partitions: 1 }),
      damage: (offset) => change(offset, Buffer.from(DAMAGED)),
      remove: (offset) => change(offset),
    };
  },
  Redis: async (t) => {
    const server = await redisServer(t.testdir());
    t.teardown(() => server.program.end());
    const client = new Redis(server.url);
    t.teardown(() => client.disconnect());
    const key = '{tail:0}:log';
    return {
      open: () =>
        RedisStore.open({ url: server.url, prefix: 'tail', partitions: 1, durability: 'append', replicas: 1 }, log),
      // An entry of a stream cannot be changed, so it is written again as a whole.
      damage: async (damaged) => {
        const entries = await client.xrangeBuffer(key, '-', '+');
        await client.del(key);
        for (const [offset, fields] of entries) {
          const kept = offset.toString() === damaged ? ['e', DAMAGED] : fields;
          await client.xadd(key, offset, ...kept);
        }
      },
      remove: async (offset) => {
        t.equal(await client.xdel(key, offset), 1);
      },
    };
  },
};

for (const [name, prepare] of Object.entries(stores)) {
  for (const how of ['damage', 'remove'] as const) {
    t.test(`${name}: a take-over notices a counted entry in the middle of its tail: ${how}d`, async (t) => {
      const kept = await prepare(t);
      const first = await kept.open();
      await first.registry.put('polls', 'q', { round: 1 });
      const opening = await first.log.append(0, marker('q'));
      const counter = await count(first);
      await counted(first, opening);
      const offsets: Offset[] = [];
      for (const [i, device] of ['d', 'e', 'f'].entries()) offsets.push(await first.log.append(0, votes(i, device)));
      await counted(first, offsets.at(-1));
      await counter.close();
      t.match(await first.counts.position(0), { behind: 3, entries: 4 });
      await first.close();
      await kept[how](offsets[1] as Offset);

      const second = await kept.open();
      t.teardown(() => second.close());
      const metrics = processorMetrics(new Registry());
      const again = await count(second, metrics);
      t.teardown(() => again.close());
      await counted(second, await second.log.append(0, votes(3, 'g')));
      t.match(await second.counts.slice(0, 'q', 1), { missing: 1, open: true });
      t.match((await metrics.incomplete.get()).values, [{ value: 1 }]);
      const dead = [{ partition: 0, offset: offsets[1], rounds: ['q/1'], wasCounted: true }];
      t.match(await new DeadEntries(second.registry).all(), how === 'damage' ? dead : []);
      const found = await second.ballots.of(0, 'q', 1, ['d', 'f', 'g']);
      t.ok(
        found.every((ballot) => ballot?.choice === 'a'),
        'all others have their ballots',
      );
    });
  }
}

function count(store: Store, metrics = processorMetrics(new Registry())): Promise<Counter> {
  return Counter.open({ store, partitions: () => [0], metrics, log, limits: NEVER });
}

async function counted(store: Store, last: Offset | undefined): Promise<void> {
  await eventually('the count', async () => ((await store.counts.position(0)).offset === last ? true : undefined));
}

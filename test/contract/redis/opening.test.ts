/** Which stores are opened, and which are accepted after a loss. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { acceptStore, storeState } from '../../../core/store/redis/guard/accept.ts';
import { RedisStore } from '../../../core/store/redis/store.ts';
import { tell } from '../../support/servers.ts';
import { CONTRACT_PARTITIONS } from '../subject.ts';
import { log, marker, opened, placeOn, server } from './place.ts';

t.test('a store that has lost a part is not opened, and the error says what to do', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  const first = await opened(t, place);
  await first.close();
  await tell(redis.port, 'DEL', `{${place.prefix}:2}:mark`);
  await t.rejects(opened(t, place), /partition 2.*pollcast store accept/);
  t.match(await storeState(place, log), { gone: ['partition 2'] });
});

t.test(
  'a store that has lost its number of partitions is accepted only with a number that fits what is there',
  async (t) => {
    const redis = await server(t);
    const place = placeOn(redis);
    const store = await opened(t, place);
    await store.log.append(CONTRACT_PARTITIONS - 1, marker);
    await store.close();
    const facts = () => tell(redis.port, 'HGETALL', `${place.prefix}:deployment`);
    const before = await facts();
    const fewer = { ...place, partitions: CONTRACT_PARTITIONS - 1 };
    await t.rejects(
      acceptStore(fewer, log),
      { message: /data of its partition 2.*--partitions/ },
      'although it has a number',
    );
    t.same(await facts(), before);

    await tell(redis.port, 'DEL', `${place.prefix}:deployment`);
    const unknown = { ...place, partitions: undefined };
    await t.rejects(acceptStore(unknown, log), { message: /lost its number of partitions.*--partitions, at least 3/ });
    await t.rejects(acceptStore(fewer, log), { message: /data of its partition 2/ });
    await tell(redis.port, 'DEL', `{${place.prefix}:2}:mark`);
    await t.rejects(acceptStore(fewer, log), { message: /data of its partition 2/ }, 'also if only its log is left');
    t.match(await storeState(unknown, log), {
      partitions: undefined,
      gone: ['number of partitions', 'polls and devices', 'partition 0', 'partition 1', 'partition 2'],
    });
    t.same(await facts(), [], 'nothing was stored');

    await tell(redis.port, 'HSET', `${place.prefix}:deployment`, 'partitions', '2');
    await t.rejects(
      acceptStore(unknown, log),
      { message: /cannot have 2 partitions/ },
      'nor a wrong number that it has',
    );
    await acceptStore(place, log);
    t.match(await storeState(unknown, log), { partitions: CONTRACT_PARTITIONS, gone: [] });
    await opened(t, place);
  },
);

t.test('a store that could not be opened is not watched', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  const messages: string[] = [];
  const listening = pino({ level: 'debug' }, { write: (line: string) => void messages.push(JSON.parse(line).msg) });
  await (await opened(t, place)).close();
  await tell(redis.port, 'SET', `{${place.prefix}:registry}:writes`, 'of another type');
  await t.rejects(RedisStore.open({ ...place, durability: 'append', replicas: 1 }, listening), /WRONGTYPE/);
  messages.length = 0;
  await sleep(1_500);
  t.same(messages, []);
});

t.test('a deployment of an earlier version gets its marks', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  await tell(redis.port, 'HSET', `${place.prefix}:deployment`, 'partitions', String(place.partitions));
  const store = await opened(t, place);
  await store.log.append(0, marker);
  t.ok(store.condition().ok);
});

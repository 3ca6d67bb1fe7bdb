import { join } from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { openEmbeddedSessions } from '../../core/store/embedded/sessions/sessions.ts';
import { openRedisSessions } from '../../core/store/redis/sessions/sessions.ts';
import type { SessionLedger, WillStore } from '../../core/store/sessions.ts';
import { redisServer } from '../support/servers.ts';

interface Opened {
  readonly ledger: SessionLedger;
  readonly wills: WillStore;
  close(): Promise<void>;
}

interface Place {
  open(): Promise<Opened>;
  /** Stores the session of a client as earlier versions did, with a vote at QoS 2. */
  storeOld(client: string): Promise<void>;
  /** Whether such votes are stored. */
  hasOldVotes(): Promise<boolean>;
}

const STORES: Record<string, (t: Test) => Promise<Place>> = {
  embedded: async (t) => {
    const directory = t.testdir();
    return {
      open: () => openEmbeddedSessions(directory),
      storeOld: async (client) => {
        const { persistence, close } = await openEmbeddedSessions(directory);
        await persistence.addSubscriptions({ id: client }, [{ topic: 'poll/q', qos: 1 }]);
        await close();
        const file = openFile(directory);
        await file.put(`incoming:${client}:00001`, Buffer.from('a vote'));
        await file.close();
      },
      hasOldVotes: async () => {
        const file = openFile(directory);
        const found = [...file.getKeys()].some((key) => key.startsWith('incoming:'));
        await file.close();
        return found;
      },
    };
  },
  Redis: async (t) => {
    const redis = await redisServer(t.testdir());
    t.teardown(() => redis.program.end());
    return {
      open: () => openRedisSessions(redis.url, 'contract', createLog('silent')),
      storeOld: async (client) => {
        const direct = new Redis(redis.url);
        await direct.sadd('contract:mqtt:clients', client);
        await direct.rpush(`contract:mqtt:outgoing:${client}`, 'packet:1:1');
        await direct.hset(`contract:mqtt:incoming:${client}`, '1', 'a vote');
        direct.disconnect();
      },
      hasOldVotes: async () => {
        const direct = new Redis(redis.url);
        const found = await direct.keys('*:incoming:*');
        direct.disconnect();
        return found.length > 0;
      },
    };
  },
};

function openFile(directory: string) {
  return open<Buffer, string>({ path: join(directory, 'sessions.lmdb'), noSubdir: true, encoding: 'binary' });
}

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: the ledger of sessions`, async (t) => {
    const { open } = await prepare(t);
    const { ledger, close } = await open();
    t.equal(await ledger.lastUsed('a'), undefined);
    await ledger.touch(['a'], 1_000);
    t.equal(await ledger.lastUsed('a'), undefined, 'touching does not create a session');
    for (const [client, atMs] of Object.entries({ a: 1_000, ab: 2_000, b: 3_000 })) await ledger.create(client, atMs);
    t.equal(await ledger.lastUsed('a'), 1_000);
    t.same((await ledger.unused(3_000, 10)).sort(), ['a', 'ab']);
    t.equal((await ledger.unused(3_000, 1)).length, 1);
    await ledger.touch(['a', 'nobody'], 4_000);
    t.same(await ledger.unused(3_000, 10), ['ab']);
    await ledger.recordDelivery('a', 'poll/q', 'x 1');
    await ledger.recordDelivery('a', 'poll/q', 'x');
    await ledger.recordDelivery('a', 'room/h', 'y');
    await ledger.recordDelivery('ab', 'poll/q', 'z');
    t.same([...(await ledger.deliveries('a'))].sort(), [
      ['poll/q', 'x'],
      ['room/h', 'y'],
    ]);
    await ledger.forgetDeliveries('a', ['room/h', 'none']);
    t.same([...(await ledger.deliveries('a'))], [['poll/q', 'x']]);
    await ledger.create('a', 5_000);
    t.same([...(await ledger.deliveries('a'))], [], 'nothing was sent to a new session');
    await ledger.delete('ab');
    t.equal(await ledger.lastUsed('ab'), undefined);
    t.same([...(await ledger.deliveries('ab'))], []);
    await close();
    const again = await open();
    t.equal(await again.ledger.lastUsed('a'), 5_000, 'it survives a restart');
    await again.close();
  });

  t.test(`${name}: the terms of sessions`, async (t) => {
    const { open } = await prepare(t);
    const { ledger, close } = await open();
    const terms = (connection: number, endsAtMs: number | null) => ({ connection, expiryMs: 3_000, endsAtMs });
    t.equal(await ledger.terms('a'), undefined);
    await ledger.changeTerms('a', terms(5, 1_000));
    t.equal(await ledger.terms('a'), undefined, 'what does not exist is not changed');
    await ledger.create('a', 1_000);
    await ledger.setTerms('a', terms(5, 1_000));
    t.same(await ledger.terms('a'), terms(5, 1_000));
    await ledger.changeTerms('a', { connection: 5, expiryMs: null, endsAtMs: null });
    t.same(await ledger.terms('a'), { connection: 5, expiryMs: null, endsAtMs: null });
    await ledger.setTerms('a', terms(7, 2_000));
    for (const late of [terms(6, 9_000), terms(5, null)]) {
      await ledger.setTerms('a', late);
      await ledger.changeTerms('a', late);
    }
    await ledger.changeTerms('a', terms(8, 9_000));
    t.same(await ledger.terms('a'), terms(7, 2_000), 'only the newest connection may change them');
    await ledger.setTerms('b', terms(8, null));
    await ledger.setTerms('ab', terms(9, 2_500));
    t.same(await ledger.ended(2_000), []);
    t.same(await ledger.ended(2_001), ['a']);
    t.same((await ledger.ended(9_999)).sort(), ['a', 'ab']);
    t.same(await ledger.unused(9_999, 10), ['a'], 'terms do not make a session');
    await ledger.delete('a');
    t.equal(await ledger.terms('a'), undefined);
    t.same(await ledger.ended(9_999), ['ab']);
    await close();
    const again = await open();
    t.same(await again.ledger.terms('ab'), terms(9, 2_500), 'they survive a restart');
    await again.close();
  });

  t.test(`${name}: wills that wait`, async (t) => {
    const { open } = await prepare(t);
    const { wills, close } = await open();
    const all = async () => {
      const found: (readonly [string, string])[] = [];
      for await (const one of wills.all()) found.push(one);
      return found.sort();
    };
    t.same(await all(), []);
    t.equal(await wills.get('a'), undefined);
    t.equal(await wills.change('a', '', 'x'), false, 'a will that does not exist is not changed');
    await wills.put('a', 'first');
    await wills.put('ab', 'other');
    t.equal(await wills.get('a'), 'first');
    t.equal(await wills.change('a', 'another', 'second'), false);
    t.equal(await wills.change('a', 'first', 'second'), true);
    t.same(await all(), [
      ['a', 'second'],
      ['ab', 'other'],
    ]);
    const taken = await Promise.all([1, 2, 3].map(() => wills.change('a', 'second', undefined)));
    t.same(taken.filter(Boolean), [true], 'only one takes it');
    await close();
    const again = await open();
    t.equal(await again.wills.get('ab'), 'other', 'it survives a restart');
    await again.close();
  });

  t.test(`${name}: sessions that an earlier version stored are taken over`, async (t) => {
    const { open, storeOld, hasOldVotes } = await prepare(t);
    await storeOld('old');
    t.ok(await hasOldVotes());
    const startMs = Date.now();
    const after = await open();
    const lastMs = (await after.ledger.lastUsed('old')) ?? 0;
    t.ok(lastMs >= startMs - 1, 'as if it had just been in use');
    await after.close();
    t.notOk(await hasOldVotes(), 'votes are only in the log');
    const again = await open();
    t.equal(await again.ledger.lastUsed('old'), lastMs, 'only once');
    await again.close();
  });
}

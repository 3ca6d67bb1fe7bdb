import { WATCHED } from '../../core/store/store.ts';
import type { ContractTest } from './subject.ts';

/** Documents have versions, and processes are listed until they withdraw or their announcement expires. */
export function registryContract(test: ContractTest): void {
  test('registry: documents have versions, and a write can require one', async (t, { registry }) => {
    const notified: string[] = [];
    const unwatch = registry.watch((collection, id) => notified.push(`${collection} ${id}`));
    t.equal(await registry.get('polls', 'x'), undefined);
    t.equal(await registry.put('polls', 'x', { a: 1 }, 0), 1);
    t.equal(
      await registry.put('polls', 'x', { a: 2 }, 0),
      undefined,
      'a write that expects no document fails if the document exists',
    );
    t.equal(await registry.put('polls', 'x', { a: 3 }, 1), 2);
    t.equal(await registry.put('polls', 'x', { a: 4 }), 3, 'a write without an expected version always succeeds');
    t.same(await registry.get('polls', 'x'), { value: { a: 4 }, version: 3 });
    const race = await Promise.all([1, 2, 3].map((a) => registry.put('polls', 'x', { a }, 3)));
    t.equal(
      race.filter((version) => version === 4).length,
      1,
      'of three writes that expect the same version, only one succeeds',
    );
    await registry.put('polls', '__proto__', { b: 1 }, 0);
    await registry.put('devices', 'y', { c: 1 }, 0);
    t.same((await registry.list('polls')).map(({ id }) => id).sort(), ['__proto__', 'x']);
    await registry.remove('polls', 'x');
    await registry.caughtUp();
    t.equal(await registry.get('polls', 'x'), undefined);
    for (const write of ['polls x', 'polls __proto__', 'devices y']) t.ok(notified.includes(write), write);
    unwatch();
    await registry.put('polls', 'z', { d: 1 });
    await registry.caughtUp();
    t.notOk(notified.includes('polls z'), 'no notification after unwatch');
    const heard: string[] = [];
    // An earlier write may be reported late, and again.
    registry.watch((collection, id) => collection === 'devices' && id.startsWith('d') && heard.push(id));
    await Promise.all(Array.from({ length: 300 }, (_, i) => registry.put('devices', `d${i}`, i)));
    await registry.caughtUp();
    t.equal(new Set(heard).size, 300, 'caughtUp waits until every write has been reported');
    const watched = new Set<string>();
    registry.watch((collection, id) => id === 'w' && watched.add(collection));
    for (const collection of [...WATCHED, 'guests', 'statuses'] as const) await registry.put(collection, 'w', {});
    await registry.caughtUp();
    t.same([...watched].sort(), [...WATCHED].sort());
  });

  test('presence: a process is listed until it withdraws or its announcement expires', async (t, { presence }) => {
    await presence.announce('broker', 'a', { n: 1 }, 10_000);
    await presence.announce('broker', 'b', { n: 2 }, 30);
    await presence.announce('counter', 'c', {}, 10_000);
    t.same(await presence.list('broker'), [
      { id: 'a', facts: { n: 1 } },
      { id: 'b', facts: { n: 2 } },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    t.same(
      (await presence.list('broker')).map(({ id }) => id),
      ['a'],
    );
    await presence.withdraw('broker', 'a');
    t.same(await presence.list('broker'), []);
  });

  test('presence: a device has left if it ended its last connection itself', async (t, { presence }) => {
    t.equal(await presence.arrive('d', 'one'), 'unknown');
    t.equal(await presence.arrive('d', 'two'), 'lost');
    await presence.leave('d', 'one');
    t.equal(await presence.arrive('d', 'three'), 'lost', 'only the last connection matters');
    await presence.leave('d', 'three');
    t.equal(await presence.arrive('e', 'one'), 'unknown');
    t.equal(await presence.arrive('d', 'four'), 'left');
    t.equal(await presence.arrive('d', 'five'), 'lost');
  });
}

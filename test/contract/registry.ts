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

  test('registry: no version of an id comes again, also if its document is removed and created anew', async (t, {
    registry,
  }) => {
    for (const collection of ['devices', 'operators', 'guests'] as const) {
      const seen: number[] = [];
      for (let i = 0; i < 8; i++) {
        const created = (await registry.put(collection, 'x', { i }, 0)) as number;
        seen.push(created);
        for (let n = 0; n < i % 3; n++) seen.push((await registry.put(collection, 'x', { i, n })) as number);
        for (const earlier of seen.slice(0, -1)) {
          t.equal(await registry.put(collection, 'x', { earlier }, earlier), undefined);
          t.equal(await registry.remove(collection, 'x', earlier), false);
        }
        t.match(await registry.get(collection, 'x'), { value: { i }, version: seen.at(-1) });
        // What happens to other documents does not bring a version back.
        await registry.put(collection, `y${i}`, { i }, 0);
        if (i > 0) await registry.remove(collection, `y${i - 1}`);
        await registry.remove(collection, 'x');
      }
      t.same(
        seen,
        [...new Set(seen)].sort((a, b) => a - b),
        `${collection}: ${seen.join(' ')}`,
      );
    }
  });

  test('registry: of a change, and a removal followed by a new document, the new document is never changed', async (t, {
    registry,
  }) => {
    for (let i = 0; i < 30; i++) {
      await registry.remove('devices', 'x');
      const version = await registry.put('devices', 'x', { owner: 'old' }, 0);
      const [changed] = await Promise.all([
        registry.put('devices', 'x', { owner: 'old', isChanged: true }, version),
        registry.remove('devices', 'x').then(() => registry.put('devices', 'x', { owner: 'new' }, 0)),
        registry.put('devices', 'y', { i }),
      ]);
      t.same((await registry.get('devices', 'x'))?.value, { owner: 'new' }, `changed before: ${changed !== undefined}`);
    }
  });

  test('registry: a removal can require a version', async (t, { registry }) => {
    const version = (await registry.put('operators', 'x', {}, 0)) as number;
    t.equal(await registry.remove('operators', 'x', version + 1), false);
    t.ok(await registry.get('operators', 'x'));
    t.equal(await registry.remove('operators', 'x', version), true);
    t.equal(await registry.get('operators', 'x'), undefined);
    t.equal(await registry.remove('operators', 'x', version), true, 'it is removed already');
    const next = (await registry.put('operators', 'x', {}, 0)) as number;
    const races = await Promise.all([
      registry.remove('operators', 'x', next),
      registry.put('operators', 'x', { n: 1 }, next),
    ]);
    t.equal(races.filter((won) => won !== false && won !== undefined).length, 1, 'of a removal and a change, one wins');
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

import t from 'tap';
import { Claims } from '../../../core/devices/claims/claims.ts';
import { Gate } from '../../../core/waiting/gate.ts';

t.test('so many run at a time, lines take turns, and those that are too long are refused', async (t) => {
  const gate = new Gate(2, 3, { a: [], b: [] });
  let running = 0;
  let most = 0;
  const order: string[] = [];
  const finish: (() => void)[] = [];
  const pass = (line: 'a' | 'b', name: string) =>
    gate.pass(line, async () => {
      order.push(name);
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => finish.push(resolve));
      running--;
    });
  const all = [pass('a', 'a1'), pass('a', 'a2'), pass('a', 'a3'), pass('a', 'a4'), pass('a', 'a5'), pass('b', 'b1')];
  await t.rejects(pass('a', 'a6'), { code: 'busy' });
  const failed = t.rejects(
    gate.pass('b', async () => {
      order.push('b2');
      throw new Error('broken');
    }),
    /broken/,
  );
  for (let done = 0; done < all.length; ) {
    const next = finish.shift();
    if (next) {
      next();
      done++;
    }
    await new Promise(setImmediate);
  }
  await Promise.all([...all, failed]);
  t.equal(most, 2);
  t.same(order, ['a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'a5']);
  const last = gate.pass('b', async () => 'free');
  t.equal(await last, 'free', 'a failure gives its place back');
});

t.test('all requests of a process share one gate for slow hashes', async (t) => {
  const registry = {
    ...Object.create(null),
    get: async () => ({ value: { device: 'd' }, version: 1 }),
    put: async () => 2,
    remove: async () => true,
  };
  const both = [new Claims(registry), new Claims(registry)];
  const issued = await Promise.allSettled(
    both.flatMap((claims) => Array.from({ length: 60 }, () => claims.issue('d', undefined))),
  );
  const refused = issued.filter((one) => one.status === 'rejected');
  t.equal(issued.length - refused.length, 102, 'two are hashed, and a hundred wait');
  for (const { reason } of refused) t.match(reason, { code: 'busy' });
});

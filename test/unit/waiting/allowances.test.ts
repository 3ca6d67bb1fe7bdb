import t from 'tap';
import { Allowances } from '../../../core/waiting/allowances.ts';

t.test('each caller has an allowance, and a refused one pays nothing', async (t) => {
  const allowances = new Allowances({ burst: 3, perSecond: 2 });
  for (let i = 0; i < 3; i++) t.equal(allowances.take('a', 0), 0);
  for (let i = 0; i < 5; i++) t.equal(allowances.take('a', 0), 500, 'trying again and again changes nothing');
  t.equal(allowances.take('b', 0), 0);
  t.equal(allowances.take('a', 500), 0);
  t.equal(allowances.take('a', 500), 500);
});

t.test('only the latest callers are remembered', async (t) => {
  const allowances = new Allowances({ burst: 1, perSecond: 1 }, 100);
  for (let i = 0; i < 1_000; i++) {
    allowances.take(`caller ${i}`, 0);
    allowances.take('always', 0);
  }
  t.equal(allowances.size, 100);
  t.ok(allowances.take('always', 0) > 0, 'who comes again and again is not forgotten');
});

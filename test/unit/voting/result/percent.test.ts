import fc from 'fast-check';
import t from 'tap';
import { decimalsOf } from '../../../../core/voting/result/percent.ts';

t.test('a percentage is never rounded onto or across a threshold', async (t) => {
  t.equal(decimalsOf(0.5, []), 1);
  t.equal(decimalsOf(0.5, [0.5]), 1);
  t.equal(decimalsOf(0.51, [0.5]), 1);
  t.equal(decimalsOf(66_666 / 100_000, [2 / 3]), 3, '66.7 % and 66.67 % are more than two thirds');
  t.equal(decimalsOf(2 / 3, [2 / 3]), 1, 'a share that equals the threshold');
  t.equal(decimalsOf(0.50004, [0.5]), 3);
  t.equal(decimalsOf(0.49996, [0.5]), 3);
  t.equal(decimalsOf(0.75, [2 / 3, 0.75]), 1);
});

t.test('… whatever the number of votes', async () => {
  const fraction = fc.tuple(fc.nat(200_000), fc.integer({ min: 1, max: 200_000 }));
  const threshold = fc.constantFrom(1 / 2, 2 / 3, 3 / 4, 3 / 5, 1);
  fc.assert(
    fc.property(fraction, threshold, ([part, whole], limit) => {
      const share = Math.min(1, part / whole);
      const shown = Number((100 * share).toFixed(decimalsOf(share, [limit])));
      if (share < limit) return shown < 100 * limit;
      return share > limit ? shown > 100 * limit : true;
    }),
    { numRuns: 2_000 },
  );
});

import t from 'tap';
import { median, medianRatio } from '../../../bench/measuring/statistics.ts';

t.test('the median does not depend on the order, and is between the two in the middle of an even number', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([9, 1, 5, 100]), 7);
  t.equal(median([4]), 4);
  t.equal(median([Number.NaN, 3, 1]), 2, 'what was not measured is left out');
  t.ok(Number.isNaN(median([])) && Number.isNaN(median([Number.NaN])));
});

t.test('ratios are those of the same round', async (t) => {
  // The second round was on a machine half as fast: the medians alone, 50 and 100, would say 0.5.
  t.equal(medianRatio([100, 50, 50], [100, 50, 200]), 1);
  t.equal(medianRatio([30, 60], [10]), 3, 'the last round was not measured for the other');
  t.equal(medianRatio([30, Number.NaN, 50], [10, 10, 10]), 4, 'nor is a round in which one failed compared');
  t.ok(Number.isNaN(medianRatio([], [1])));
});

/** Published worked examples, each with its source. A method must give the published result. */

import t from 'tap';
import {
  frequenciesOf,
  meanOf,
  netPromoterScoreOf,
  quantileOf,
  standardDeviationOf,
  trimmedMeanOf,
} from '../../../../core/voting/kinds/figures/statistics.ts';

t.test(
  'statistics: quantiles of type 7, trimmed means, standard deviations and NPS match published figures',
  async (t) => {
    const of = (...values: number[]) => frequenciesOf(values.map((value) => [value, 1]));
    // Hyndman & Fan (1996), type 7; figures from the documentation of R and NumPy, and Wikipedia, "Percentile" (C = 1).
    t.equal(quantileOf(of(15, 20, 35, 40, 50), 0.4), 29);
    t.same(
      [0.1, 0.25, 0.5, 0.75].map((p) => quantileOf(of(20, 2, 7, 1, 34), p)),
      [1.4, 2, 7, 20],
    );
    t.equal(quantileOf(of(2, 3, 4, 5), 0.15)?.toFixed(9), '2.450000000');
    t.equal(quantileOf(of(), 0.5), null);
    // Wikipedia, "Truncated mean".
    const data = of(92, 19, 101, 58, 1053, 91, 26, 78, 10, 13, -40, 101, 86, 85, 15, 89, 89, 28, -5, 41);
    t.equal(meanOf(data), 101.5);
    t.equal(trimmedMeanOf(data, 0.05), 56.5);
    // Wikipedia, "Standard deviation", gives 2, which treats the data as a whole population. For a sample, it is 2.138….
    t.equal(standardDeviationOf(of(2, 4, 4, 4, 5, 5, 7, 9))?.toFixed(9), '2.138089935');
    t.equal(standardDeviationOf(of(3)), null);
    // Reichheld (2003): the percentage of promoters minus the percentage of detractors.
    t.equal(
      netPromoterScoreOf([
        [10, 100],
        [7, 30],
        [3, 80],
      ])?.toFixed(4),
      '9.5238',
    );
    t.equal(netPromoterScoreOf(of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))?.toFixed(4), '-45.4545');
    t.equal(netPromoterScoreOf(of(9, 6)), 0, 'with as many promoters as detractors, the score is 0');
  },
);

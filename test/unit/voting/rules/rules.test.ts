import t from 'tap';
import { parseShare, reaches } from '../../../../core/voting/rules/share.ts';
import { formatWeight, parseWeight } from '../../../../core/voting/rules/weight.ts';

t.test('weights are exact to the last digit, and invalid weights are refused', async (t) => {
  for (const text of ['1', '12.5', '0.000001', '999999999999.999999', '0.1'])
    t.equal(formatWeight(parseWeight(text) ?? 0n), text);
  t.equal(formatWeight(parseWeight('1.50') ?? 0n), '1.5');
  t.equal(formatWeight(0n), '0');
  for (const text of ['0', '-1', '1e3', '.5', '5.', '01', '0.0000001', '1,5', '١', '', '1000000000000'])
    t.equal(parseWeight(text), undefined, text);
  t.equal(
    formatWeight((parseWeight('0.1') ?? 0n) + (parseWeight('0.2') ?? 0n)),
    '0.3',
    'the sum is exact, unlike with floating point',
  );
});

t.test('shares are compared without rounding', async (t) => {
  const third = parseShare('>= 1/3');
  if (!third) throw new Error('no share');
  t.equal(reaches(1n, 3n, third), true);
  t.equal(reaches(10n ** 20n - 1n, 3n * 10n ** 20n, third), false);
  t.equal(reaches(0n, 0n, third), false, 'no share is reached if the whole is 0');
  for (const text of ['1/2', '> 0.5', '> 3/2', '> 1/0', '=> 1/2', '> -1/2', ''])
    t.equal(parseShare(text), undefined, text);
});

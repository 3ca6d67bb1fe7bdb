import { reject } from '../rejection.ts';
import { total } from '../tally.ts';
import { type Kind, share } from './kind.ts';

/** The most grades a rating may have; each is a bar on the screen. */
const MAX_GRADES = 101;
const GRADE = /^[+-]?\d{1,9}$/;

/** A whole number from `min` to `max` (default 1 to 5). A choice is the number: `4`. The options are the grades. */
export const rating: Kind = {
  complete(definition) {
    const { min = 1, max = 5 } = definition;
    const fits = Number.isSafeInteger(min) && Number.isSafeInteger(max) && max > min && max - min < MAX_GRADES;
    const labels = new Map(definition.options.map(({ key, label }) => [key, label]));
    const grades = fits ? Array.from({ length: max - min + 1 }, (_, i) => String(min + i)) : [];
    const options = grades.map((key) => ({ key, label: labels.get(key) ?? key }));
    const strangers = definition.options.filter(({ key }) => !grades.includes(key));
    return { ...definition, min, max, options: [...options, ...strangers] };
  },

  problems({ options, min = 1, max = 5 }) {
    if (max <= min) return [`max: must be above min (${min}), not ${max}`];
    if (max - min >= MAX_GRADES) return [`max: at most ${MAX_GRADES} grades, not ${max - min + 1}`];
    return options
      .filter(({ key }) => !GRADE.test(key) || Number(key) < min || Number(key) > max)
      .map(({ key }) => `options: ${JSON.stringify(key)} is not a grade from ${min} to ${max}`);
  },

  parse(text, { min = 1, max = 5 }) {
    if (!GRADE.test(text)) return reject('not-a-number');
    const grade = Number(text);
    if (grade < min || grade > max) return reject('out-of-range');
    return String(grade === 0 ? 0 : grade);
  },

  result({ options }, tally) {
    const n = total(tally);
    let sum = 0;
    for (const [grade, weight] of tally) sum += Number(grade) * weight;
    return {
      options: options.map(({ key, label }) => {
        const count = tally.get(key) ?? 0;
        return { key, label, count, share: share(count, n) };
      }),
      mean: n === 0 ? null : sum / n,
    };
  },
};

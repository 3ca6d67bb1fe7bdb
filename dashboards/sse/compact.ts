import { mapNumbers, type ResultChange, withChange } from '../../client/change.ts';
import type { Result } from '../../core/voting/result/result.ts';
import { deltaOf, isSame } from './delta.ts';

/**
 * The change from one result to the next in the compact form, which viewers ask for. A vote changes a few numbers by one, a
 * time, and all shares: it says how much is added to which numbers, and what the shares follow from. What cannot be said so is
 * sent as in the full form. It is tried out before it is sent, so it is never wrong, only longer.
 *
 * @param change the change in the full form
 */
export function compactChange(before: Result, after: Result, change: ResultChange): ResultChange {
  const { poll, round: _, options, ...fields } = change;
  const whole = Object.entries(fields).filter(
    ([field, value]) => !isSame(shapeOf(Reflect.get(before, field)), shapeOf(value)),
  );
  const oddOptions = options?.filter(
    (option) => !isSame(shapeOf(before.options.find(({ key }) => key === option.key)), shapeOf(option)),
  );
  const rest = { poll, ...Object.fromEntries(whole), ...(oddOptions?.length ? { options: oddOptions } : {}) };
  const of = options && wholeOf(after);
  const add = summands(withChange(before, rest), after);
  const compact = { ...rest, ...(of === undefined ? {} : { of }), add };
  return isReached(after, withChange(before, compact)) ? compact : change;
}

/** True if a viewer shows this result. A field that was removed is null there. */
function isReached(result: Result, shown: Result): boolean {
  const { poll: _, round: __, ...missing } = deltaOf(shown, result) ?? {};
  return Object.keys(missing).every((field) => !(field in result) && Reflect.get(shown, field) === null);
}

/** A value without its numbers. Two values of one shape have their numbers at the same positions. */
function shapeOf(value: unknown): unknown {
  return mapNumbers(value, () => 0);
}

/** What must be added to the numbers of a result, as in `ResultChange.add`. Fractions are shares, which follow from the rest. */
function summands(before: Result, after: Result): number[][] {
  const numbers: number[] = [];
  mapNumbers(before, (number) => {
    numbers.push(number);
    return number;
  });
  const positions = new Map<number, number[]>();
  let position = 0;
  mapNumbers(after, (number) => {
    const summand = number - (numbers[position] ?? 0);
    if (summand !== 0 && Number.isInteger(summand)) {
      const together = positions.get(summand) ?? [];
      together.push(position);
      positions.set(summand, together);
    }
    position++;
    return number;
  });
  return [...positions].map(([summand, together]) => [summand, ...together]);
}

/** What the shares of all options are fractions of; undefined if some option has none. */
function wholeOf({ options }: Result): number | undefined {
  if (options.some(({ count, share }) => count === null || share === null)) return undefined;
  const some = options.find(({ count, share }) => count && share);
  return some ? Math.round((some.count as number) / (some.share as number)) : 0;
}

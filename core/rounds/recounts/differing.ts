import { isDeepStrictEqual } from 'node:util';
import type { Series } from '../../store/series/series.ts';
import { timelineOf, windowOf } from '../../store/series/timeline.ts';
import type { Accounting } from '../../voting/count/accounting.ts';
import type { Poll } from '../../voting/poll/poll.ts';
import type { OpenResult, Result } from '../../voting/result/result.ts';

/** Counts the round again up to now. */
type CountLater = () => Promise<OpenResult>;

/**
 * Fields that are not compared, or not as a whole: votes that arrive after the close are received and rejected, `at` is a time
 * and no count, and the outcome of an earlier recount is not part of the count.
 */
const MOVING: readonly string[] = ['votes', 'rejected', 'accounting', 'at', 'recount'];

/** The part of a final result that nothing can change any more, unless the round is continued. */
export function fixedPartOf(result: Result): Record<string, unknown> {
  const { accounting } = result;
  const fixed = Object.entries(result).filter(([field]) => !MOVING.includes(field));
  return { ...Object.fromEntries(fixed), accounting: accounting && fixedFigures(accounting) };
}

function fixedFigures({ counted, replaced, redelivered }: Accounting) {
  return { counted, replaced, redelivered };
}

/**
 * Differences between the final result that is served and the count.
 *
 * @param counted the round as it was counted before the result was served
 * @param later what is counted now; only read if the served result has more votes than `counted`
 */
export async function differingResults(served: OpenResult, counted: OpenResult, later: CountLater): Promise<string[]> {
  const [one, two] = [fixedPartOf(served), fixedPartOf(counted)];
  const shown = (result: OpenResult, field: string) =>
    brief(new Map<string, unknown>(Object.entries(result)).get(field));
  const fixed = [...new Set([...Object.keys(one), ...Object.keys(two)])]
    .filter((field) => !isDeepStrictEqual(one[field], two[field]))
    .map((field) => `dashboard, ${field}: ${shown(served, field)}, recounted ${shown(counted, field)}`);
  const moving = await outside(movingFigures(served), movingFigures(counted), async () => movingFigures(await later()));
  return [...fixed, ...moving.map((difference) => `dashboard, ${difference}`)];
}

const brief = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? 'nothing';

/** What may still increase after the close. */
function movingFigures({ votes, rejected, accounting }: OpenResult): Record<string, number> {
  const reasons = Object.entries(accounting?.rejected ?? {}).map(([reason, count]) => [`rejected ${reason}`, count]);
  return { votes: votes ?? 0, rejected: rejected ?? 0, ...Object.fromEntries(reasons) };
}

type Figures = Readonly<Record<string, number>>;

/** The figures that are less than what was counted before, or more than what is counted afterwards. */
async function outside(figures: Figures, before: Figures, later: () => Promise<Figures>): Promise<string[]> {
  const names = [...new Set([...Object.keys(figures), ...Object.keys(before)])];
  if (names.every((name) => (figures[name] ?? 0) === (before[name] ?? 0))) return [];
  const after = await later();
  return names
    .filter((name) => (figures[name] ?? 0) < (before[name] ?? 0) || (figures[name] ?? 0) > (after[name] ?? 0))
    .map((name) => {
      const [least, most] = [before[name] ?? 0, after[name] ?? 0];
      return `${name}: ${figures[name] ?? 0}, recounted ${least === most ? least : `${least} to ${most}`}`;
    });
}

/** Differences between the end of the time series and the count. Only options that the poll offers are compared. */
export async function differingSeries(
  series: Series,
  { definition, round, ...times }: Poll,
  counted: OpenResult,
  later: CountLater,
): Promise<string[]> {
  const window = windowOf(times.openedAtMs ?? 0, Math.max(times.closedAtMs ?? 0, Date.parse(counted.at ?? '') || 0));
  let last: ReturnType<typeof timelineOf>[number] | undefined;
  try {
    last = timelineOf(await series.samples(definition.poll, round, window), window).at(-1);
  } catch (error) {
    return [`time series: cannot be read (${(error as Error).message})`];
  }
  const votes = { votes: last?.votes ?? 0 };
  const found = await outside(votes, { votes: counted.votes ?? 0 }, async () => ({
    votes: (await later()).votes ?? 0,
  }));
  const offered = new Set(definition.options.map(({ key }) => key));
  for (const { key, count } of counted.options) {
    const is = last && Object.hasOwn(last.ballots, key) ? last.ballots[key] : 0;
    if (offered.has(key) && is !== count) found.push(`option ${key}: ${is}, recounted ${count}`);
  }
  return found.map((difference) => `time series, ${difference}`);
}

import { BOM, type Cell, csvRows } from '../../core/runtime/csv.ts';
import type { Result } from '../../core/voting/result/result.ts';

/**
 * The results of rounds as CSV, in long format: one row per figure. `table` names the set of figures that a row belongs to, so
 * that each set can be filtered and used as a table of its own. The first columns have been there since version 0.1; in rows of
 * `options`, they hold what they always held.
 */
const COLUMNS = [
  ...['poll', 'round', 'status', 'group', 'option', 'label', 'count', 'weight', 'share', 'ballots', 'at'],
  ...['table', 'item', 'step', 'against', 'figure', 'value'],
] as const;

type Row = { readonly [Column in (typeof COLUMNS)[number]]?: Cell };

/** What a figure belongs to. */
interface Place {
  readonly table: string;
  /** What all rows of the round have in common, and which group or item the figure belongs to. */
  readonly base: Row;
  readonly labels: ReadonlyMap<string, string>;
}

/** A part of a result whose form depends on its kind. */
type Figures = Readonly<Record<string, unknown>>;

/** Fields with a figure for each pair of options, and the name of that figure. */
const PAIRS = new Map([
  ['matrix', 'preferred'],
  ['paths', 'strength'],
]);
/** Fields that are columns, or that have a table of their own below. `votes` and `rejected` are part of the accounting. */
const NOT_FIGURES: readonly string[] = [
  ...['poll', 'round', 'status', 'final', 'hidden', 'ballots', 'at', 'closingAt', 'votes', 'rejected'],
  ...['options', 'groups', 'items', 'group', 'key', 'label'],
];
/** Columns of a line of `options`. Its other fields are figures of that option. */
const LINE = ['key', 'label', 'count', 'weight', 'share'] as const;
/** Fields whose text is the key of an option. */
const KEYS: readonly string[] = ['option', 'of', 'condorcetWinner'];

export function resultTable(results: readonly Result[]): string {
  const rows = results.flatMap(rowsOf).map((row) => COLUMNS.map((column) => row[column]));
  return BOM + csvRows([[...COLUMNS], ...rows]);
}

function rowsOf(result: Result): Row[] {
  const { poll, round, status, final, at } = result;
  const base: Row = { poll, round, status: final ? 'final' : status, group: '', at };
  return figureRows({ ...result }, base);
}

/** The rows of a result, or of one of its groups or items, which have figures of the same form. */
function figureRows(figures: Figures, base: Row): Row[] {
  const {
    options = [],
    ballots,
    groups = [],
    items = [],
  } = figures as {
    readonly options?: readonly Figures[];
    readonly ballots?: Cell;
    readonly groups?: readonly Figures[];
    readonly items?: readonly Figures[];
  };
  const labels = new Map(options.map(({ key, label }) => [String(key), String(label)]));
  const place = (table: string): Place => ({ table, base, labels });
  const rows: Row[] = [];
  for (const line of options) {
    const [option, label, count, weight, share] = LINE.map((field) => line[field] as Cell);
    const own = { ...base, option, label };
    rows.push({ ...own, count, weight, share, ballots, table: 'options' });
    const more = Object.entries(line).filter(([field]) => !(LINE as readonly string[]).includes(field));
    for (const [field, value] of more) rows.push(...flat(field, value, { ...place('per option'), base: own }));
  }
  for (const [field, value] of Object.entries(figures)) {
    if (NOT_FIGURES.includes(field)) continue;
    const pairs = PAIRS.get(field);
    if (pairs) rows.push(...pairRows(pairs, value as readonly (readonly Cell[])[], [...labels.keys()], place(field)));
    else if (Array.isArray(value)) rows.push(...listRows(field, value, place(field)));
    else if (typeof value === 'object' && value !== null) rows.push(...flat('', value, place(field)));
    else rows.push(...flat(field, value, place('figures')));
  }
  for (const item of items) {
    const { key, label } = item as { readonly key: string; readonly label: string };
    rows.push({ ...base, table: 'items', item: key, figure: 'label', value: label });
    rows.push(...figureRows(item, { ...base, item: key }));
  }
  for (const group of groups) rows.push(...figureRows(group, { ...base, group: (group.group as Cell) ?? '(others)' }));
  return rows;
}

/** The rows of a list: each element is a step, and has a number. */
function listRows(name: string, list: readonly unknown[], place: Place): Row[] {
  return list.flatMap((element, i) => flat(name, element, { ...place, base: { ...place.base, step: i + 1 } }, true));
}

/** A figure of each pair of options, one row per pair. */
function pairRows(
  figure: string,
  matrix: readonly (readonly Cell[])[],
  keys: readonly string[],
  { table, base, labels }: Place,
): Row[] {
  return matrix.flatMap((cells, i) =>
    cells.flatMap((value, j): Row[] => {
      const option = keys[i] ?? '';
      return i === j ? [] : [{ ...base, table, option, label: labels.get(option), against: keys[j], figure, value }];
    }),
  );
}

/**
 * The rows of a value: one for each text, number or truth value in it. An object with a `key` is about that option.
 *
 * @param isKey true if a text in the value is the key of an option
 */
function flat(name: string, value: unknown, place: Place, isKey = KEYS.includes(name)): Row[] {
  const { table, base, labels } = place;
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    return value.flatMap((element, i) => {
      // Elements that are about an option need no number.
      const isNumbered = base.step === undefined && typeof element === 'object' && !('key' in element);
      return flat(name, element, isNumbered ? { ...place, base: { ...base, step: i + 1 } } : place, true);
    });
  }
  if (typeof value === 'object' && value !== null) {
    const { key, over, under, ...rest } = value as Figures;
    const option = (key ?? over) as string | undefined;
    const own = option === undefined ? {} : { option, label: labels.get(option), against: under as Cell };
    const isStep = base.step !== undefined && (name === table || option !== undefined);
    return Object.entries(rest).flatMap(([field, one]) =>
      flat(name === '' || isStep || option !== undefined ? field : `${name} ${field}`, one, {
        ...place,
        base: { ...base, ...own },
      }),
    );
  }
  const label = typeof value === 'string' && isKey ? labels.get(value) : undefined;
  const about = label === undefined ? {} : { option: value as string, label };
  return [
    { ...base, ...about, table, figure: name, value: typeof value === 'boolean' ? String(value) : (value as Cell) },
  ];
}

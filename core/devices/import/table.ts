import { parse as parseCsv } from 'csv-parse/sync';
import { Refusal } from '../../runtime/refusal.ts';
import type { Mandate } from '../../voting/poll/electorate.ts';
import { MANDATE_RULE, parseMandate } from '../mandate-text.ts';
import type { ImportedDevice } from './plan.ts';
import { decodeText, type Encoding } from './text.ts';

/** The maximum number of devices that can be registered at once. */
export const MAX_IMPORT = 5_000;

/** The columns of a device table. Only `device` is required. */
export const COLUMNS = ['device', 'label', 'group', 'weight', 'mandates', 'secret'] as const;
type Column = (typeof COLUMNS)[number];

/** The separators between cells, in the order in which they are tried. */
const SEPARATORS = [';', '\t', ','] as const;
type Separator = (typeof SEPARATORS)[number];

/** How a table was read. */
export interface TableReading {
  readonly encoding: Encoding;
  readonly separator: Separator;
  /** Names of columns that are not known here, as they are written. */
  readonly ignoredColumns: readonly string[];
}

export interface DeviceTable extends TableReading {
  /** An empty cell is null: the device has no such setting. Columns that the table does not have are absent. */
  readonly devices: readonly ImportedDevice[];
  /** The row of each device, as spreadsheets number them. */
  readonly rows: readonly number[];
}

/**
 * The devices in a CSV file as spreadsheets save it. The first row that is not blank names the columns, in any case; a line
 * `sep=;` before it is not a row. Where cells are separated by semicolons or tabs, weights may have a decimal comma.
 *
 * @throws Refusal bad-table, listing every problem
 */
export function readDeviceTable(bytes: Uint8Array): DeviceTable {
  const { text, encoding } = decodeText(bytes);
  const [marker, given] = /^"?sep=(.)"?\r?\n/i.exec(text) ?? [''];
  const body = text.slice(marker.length);
  const separator = SEPARATORS.find((one) => one === given) ?? separatorOf(body);
  const [head, ...lines] = linesOf(body, separator).filter(({ cells }) => cells.some((cell) => cell !== ''));
  const names = head?.cells ?? [];
  const columns = names.map(columnOf);
  demandColumns(columns, names, { encoding, separator });
  if (lines.length === 0) throw new Refusal('bad-table', 'the table has no devices, only column names');
  if (lines.length > MAX_IMPORT) {
    throw new Refusal('bad-table', `at most ${MAX_IMPORT} devices can be imported at once, not ${lines.length}`);
  }
  const problems: string[] = [];
  const devices = lines.map(({ row, cells }) => {
    if (cells.slice(names.length).some((cell) => cell !== '')) {
      problems.push(
        `row ${row}: has more cells than there are columns; put quotes around text with ${nameOf(separator)}`,
      );
    }
    const values = new Map(columns.flatMap((column, i) => (column ? [[column, cells[i] ?? ''] as const] : [])));
    return toDevice(values, separator !== ',', (problem) => problems.push(`row ${row}: ${problem}`));
  });
  if (problems.length > 0) throw new Refusal('bad-table', 'the table cannot be read; nothing was changed', problems);
  const ignoredColumns = names.filter((name, i) => name !== '' && columns[i] === undefined);
  return { devices, rows: lines.map(({ row }) => row), encoding, separator, ignoredColumns };
}

interface Line {
  /** Counted from 1, including blank rows; a cell with line breaks does not start a new row. */
  readonly row: number;
  readonly cells: readonly string[];
}

function linesOf(text: string, delimiter: Separator): Line[] {
  try {
    const lines: string[][] = parseCsv(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: false,
    });
    return lines.map((cells, i) => ({ row: i + 1, cells: cells.map((cell) => cell.trim()) }));
  } catch (error) {
    throw new Refusal('bad-table', `the table cannot be read: ${(error as Error).message}`);
  }
}

/** The separator with which the first line names the column `device`, or else the first that occurs in it. */
function separatorOf(text: string): Separator {
  const [line = ''] = text.replace(/^[\r\n]+/, '').split(/[\r\n]/, 1);
  const found = SEPARATORS.filter((separator) => line.includes(separator));
  const columnsBy = (separator: Separator) => line.split(separator).map((cell) => columnOf(cell.replaceAll('"', '')));
  return found.find((separator) => columnsBy(separator).includes('device')) ?? found[0] ?? ',';
}

function columnOf(name: string): Column | undefined {
  const lower = name.trim().toLowerCase();
  return COLUMNS.find((column) => column === lower);
}

function demandColumns(
  columns: readonly (Column | undefined)[],
  names: readonly string[],
  { encoding, separator }: Pick<TableReading, 'encoding' | 'separator'>,
): void {
  if (!columns.includes('device')) {
    const found = names.length === 0 ? 'nothing' : names.map((name) => JSON.stringify(name)).join(', ');
    const why = `the first row must name the columns, one of which is "device" (the others: ${COLUMNS.slice(1).join(', ')}); read as ${encoding} with ${nameOf(separator)}, it contains ${found}`;
    throw new Refusal('bad-table', why);
  }
  const twice = columns.find((column, i) => column !== undefined && columns.indexOf(column) !== i);
  if (twice !== undefined) throw new Refusal('bad-table', `two columns are called ${twice}; rename or remove one`);
}

function toDevice(
  values: ReadonlyMap<Column, string>,
  hasDecimalComma: boolean,
  report: (problem: string) => void,
): ImportedDevice {
  const decimal = (text: string) => (hasDecimalComma ? text.replace(/^(\d+),(\d+)$/, '$1.$2') : text);
  const [label, group, weight, mandates, secret] = (['label', 'group', 'weight', 'mandates', 'secret'] as const).map(
    (column) => values.get(column),
  );
  return {
    device: values.get('device') ?? '',
    ...(label === undefined ? {} : { label: label.replace(/\s+/g, ' ') || null }),
    ...(group === undefined ? {} : { group: group || null }),
    ...(weight === undefined ? {} : { weight: decimal(weight) || null }),
    ...(mandates === undefined ? {} : { mandates: mandatesIn(mandates, hasDecimalComma, report) }),
    ...(secret ? { secret } : {}),
  };
}

/** The mandates in a cell, separated by spaces, commas or semicolons. */
function mandatesIn(cell: string, hasDecimalComma: boolean, report: (problem: string) => void): Mandate[] | null {
  const text = hasDecimalComma ? cell.replace(/=(\d+),(\d+)/g, '=$1.$2') : cell;
  const found: Mandate[] = [];
  for (const part of text.split(/[\s,;]+/).filter((part) => part !== '')) {
    const mandate = parseMandate(part);
    if (mandate) found.push(mandate);
    else report(`mandates: expected ${MANDATE_RULE}, not ${JSON.stringify(part)}`);
  }
  return found.length === 0 ? null : found;
}

function nameOf(separator: Separator): string {
  return { ';': 'semicolons', '\t': 'tabs', ',': 'commas' }[separator];
}

import { parse as parseCsv } from 'csv-parse/sync';
import { Problem } from './problem.ts';

/** The longest table, devices. */
export const MAX_DEVICES = 5_000;

/** Columns of a table of devices. */
const COLUMNS = ['device', 'label', 'group', 'weight', 'secret'] as const;

/**
 * The devices of a CSV file, whose first line names the columns; semicolons do as well, as spreadsheets write them where
 * commas are in numbers. @throws Problem 400 that tells what is wrong with the file
 */
export function devicesOfTable(text: string): object[] {
  let rows: Record<string, string>[];
  try {
    const delimiter = (text.split('\n', 1)[0] ?? '').includes(';') ? ';' : ',';
    rows = parseCsv(text, {
      columns: true,
      bom: true,
      skip_empty_lines: true,
      trim: true,
      delimiter,
      to: MAX_DEVICES + 1,
    });
  } catch (error) {
    throw new Problem(400, 'bad-table', `the table cannot be read: ${(error as Error).message}`);
  }
  if (rows.length > MAX_DEVICES) throw new Problem(400, 'bad-table', `at most ${MAX_DEVICES} devices at a time`);
  return rows.map(toDevice);
}

function toDevice(row: Readonly<Record<string, string>>): object {
  const strange = Object.keys(row).find((column) => !(COLUMNS as readonly string[]).includes(column));
  if (strange !== undefined) {
    const why = `there is no column ${JSON.stringify(strange)}; the columns are ${COLUMNS.join(', ')}`;
    throw new Problem(400, 'bad-table', why);
  }
  if (row.device === undefined) {
    throw new Problem(400, 'bad-table', 'the first line names the columns, and device is missing');
  }
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ''));
}

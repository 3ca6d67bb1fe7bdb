import { parse as parseCsv } from 'csv-parse/sync';
import { Refusal } from '../runtime/refusal.ts';

/** The maximum number of devices that can be registered at once. */
export const MAX_IMPORT = 5_000;

/** The columns of a device table. */
const COLUMNS = ['device', 'label', 'group', 'weight', 'secret'] as const;

/**
 * The devices in a CSV file whose first line names the columns. Semicolons are accepted as separators too, because spreadsheets
 * use them in languages with a decimal comma. @throws Refusal bad-table
 */
export function parseDeviceTable(text: string): object[] {
  let rows: Record<string, string>[];
  try {
    const delimiter = (text.split('\n', 1)[0] ?? '').includes(';') ? ';' : ',';
    rows = parseCsv(text, {
      columns: true,
      bom: true,
      skip_empty_lines: true,
      trim: true,
      delimiter,
      to: MAX_IMPORT + 1,
    });
  } catch (error) {
    throw new Refusal('bad-table', `the table cannot be read: ${(error as Error).message}`);
  }
  if (rows.length > MAX_IMPORT)
    throw new Refusal('bad-table', `at most ${MAX_IMPORT} devices can be registered at once`);
  return rows.map(toDevice);
}

function toDevice(row: Readonly<Record<string, string>>): object {
  const unknown = Object.keys(row).find((column) => !(COLUMNS as readonly string[]).includes(column));
  if (unknown !== undefined) {
    const why = `unknown column ${JSON.stringify(unknown)}; the columns are ${COLUMNS.join(', ')}`;
    throw new Refusal('bad-table', why);
  }
  if (row.device === undefined) {
    throw new Refusal('bad-table', 'the first line must name the columns, but it does not name "device"');
  }
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ''));
}

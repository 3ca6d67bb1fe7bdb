import { type Options, stringify } from 'csv-stringify/sync';

/** A byte order mark: without it, spreadsheets do not read a file as UTF-8. */
export const BOM = '\ufeff';

export type Cell = string | number | null | undefined;

const OPTIONS: Options = {
  record_delimiter: 'windows',
  quoted_match: /[\r\n]/,
  cast: { string: withoutFormula },
};

/** Formats rows as CSV [RFC 4180]. */
export function csvRows(rows: readonly (readonly Cell[])[]): string {
  return stringify([...rows], OPTIONS);
}

/** Puts an apostrophe before text that a spreadsheet would treat as a formula. Numbers are left unchanged. */
function withoutFormula(text: string): string {
  const isNumber = /^-?\d+(\.\d+)?$/.test(text);
  return /^[=+\-@\t\r]/.test(text) && !isNumber ? `'${text}` : text;
}

import Table from 'cli-table3';

/** Borders that read well and copy well: none but a line below the head. */
const CHARS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: ' ',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
};

/** Rows under a head, in columns. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
): string {
  if (rows.length === 0) return '  none';
  const made = new Table({ head: [...head], chars: CHARS, style: { head: [], border: [], 'padding-left': 1 } });
  for (const row of rows) made.push(row.map((cell) => printable(cell ?? '')));
  return made.toString();
}

/** What people wrote, fit for a terminal: control characters could paint over what is above. */
export function printable(text: string | number): string {
  return String(text).replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

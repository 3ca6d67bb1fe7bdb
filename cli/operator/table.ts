import Table from 'cli-table3';

/** Columns are separated by spaces only, so that the output is easy to copy. */
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

/** Formats rows as columns below a header. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
): string {
  if (rows.length === 0) return '  none';
  const made = new Table({ head: [...head], chars: CHARS, style: { head: [], border: [], 'padding-left': 1 } });
  for (const row of rows) made.push(row.map((cell) => printable(cell ?? '')));
  return made.toString();
}

/** Makes text from users safe for a terminal. Control characters in it could overwrite other output. */
export function printable(text: string | number): string {
  return String(text).replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** In a table, the column that names the devices. */
const COLUMN = 'device';
const SEPARATORS = ['\t', ';', ','];

/**
 * The ids of devices in a text, without duplicates: one in each line, or separated by spaces, commas or semicolons. In a table that
 * has a column `device`, those in this column.
 */
export function idsIn(text: string): string[] {
  // Spreadsheets may save UTF-16, of which nothing else is left in ids.
  const lines = text.replaceAll('\0', '').replaceAll('\ufeff', '').replaceAll('\ufffd', '').split(/\r?\n/);
  const [head = '', ...rows] = lines;
  const separator = SEPARATORS.find((one) => head.includes(one)) ?? '\n';
  const column = cellsOf(head, separator).findIndex((name) => name.toLowerCase() === COLUMN);
  const found =
    column === -1
      ? lines
          .join('\n')
          .split(/[\s,;]+/)
          .map(unquoted)
      : rows.map((row) => cellsOf(row, separator)[column] ?? '');
  return [...new Set(found)].filter((id) => id !== '');
}

/** The cells of a row. A separator within quotes belongs to its cell. */
function cellsOf(row: string, separator: string): string[] {
  const cells = [''];
  let isQuoted = false;
  for (const character of row) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) cells.push('');
    else cells.push(cells.pop() + character);
  }
  return cells.map(unquoted);
}

function unquoted(cell: string): string {
  return cell
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();
}

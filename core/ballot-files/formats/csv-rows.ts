import { parse } from 'csv-parse/sync';
import { BallotFileError, numbered, type Place, quoted } from './ballot-file.ts';

/** The most lines that one row may have; headers of forms sometimes contain line breaks. */
const MAX_LINES_PER_ROW = 100;

/** A row of a CSV file. */
export interface Row {
  /** The cells, without surrounding spaces. */
  readonly cells: readonly string[];
  /** Where a cell begins. */
  placeOf(cell: number): Place;
}

/** Makes rows from the lines of a CSV file [RFC 4180]. The separator is a comma, semicolon or tab, as in the first row. */
export class CsvRows {
  private separator: string | undefined;
  /** The lines of a row that has an open quotation mark. */
  private open: string[] = [];
  private openedAt = 0;

  /** The row that ends with this line; undefined if the line is empty or the row goes on. */
  take(text: string, line: number): Row | undefined {
    if (this.open.length === 0) {
      if (text.trim() === '') return undefined;
      this.openedAt = line;
    }
    const isQuoted = this.open.length > 0 || text.includes('"');
    if (isQuoted) {
      this.open.push(text);
      const isOpen = this.open.reduce((marks, part) => marks + part.split('"').length - 1, 0) % 2 === 1;
      if (isOpen && this.open.length >= MAX_LINES_PER_ROW) this.end();
      if (isOpen) return undefined;
    }
    const raw = isQuoted ? this.open.join('\n') : text;
    this.open = [];
    this.separator ??= separatorOf(raw);
    return rowOf(raw, this.separator, this.openedAt);
  }

  /** Throws if the file ends within a row. */
  end(): void {
    if (this.open.length === 0) return;
    const column = (this.open[0] as string).lastIndexOf('"') + 1;
    throw new BallotFileError({ line: this.openedAt, column }, 'the quotation mark is not closed');
  }
}

function separatorOf(row: string): string {
  const plain = row.replace(/"[^"]*"/g, '');
  const count = (sign: string) => plain.split(sign).length;
  return [',', ';', '\t'].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

function rowOf(raw: string, separator: string, line: number): Row {
  const placeOf = (cell: number) => placeIn(raw, separator, cell, line);
  // Most rows have no quotation marks, and splitting them is many times faster.
  if (!raw.includes('"')) return { cells: raw.split(separator).map((cell) => cell.trim()), placeOf };
  try {
    const [cells = []] = parse(raw, { delimiter: separator, relax_column_count: true, trim: true }) as string[][];
    return { cells: cells.map((cell) => cell.trim()), placeOf };
  } catch {
    const column = (raw.split('\n')[0] as string).indexOf('"') + 1;
    throw new BallotFileError(
      { line, column },
      'a quotation mark is out of place; expected cells such as "Smith, A", with "" for a quotation mark',
    );
  }
}

function placeIn(raw: string, separator: string, cell: number, line: number): Place {
  let [place, before, isOpen]: [Place, number, boolean] = [{ line, column: 1 }, 0, false];
  for (const [at, sign] of [...raw].entries()) {
    if (before === cell) break;
    if (sign === '"') isOpen = !isOpen;
    else if (sign === '\n') place = { line: place.line + 1, column: 0 };
    else if (sign === separator && !isOpen) before++;
    place = { line: place.line, column: at + 2 - lineStart(raw, at) };
  }
  return place;
}

function lineStart(raw: string, at: number): number {
  return raw.lastIndexOf('\n', at) + 1;
}

/** Headers of columns that say something about a ballot, not what it votes for. */
const ABOUT =
  /^(|#|no\.?|ballot|ballot ?style|batch|box|cvr|date|device|email|id|name|number|party|poll|precinct( portion)?|response|row|tabulator|time|timestamp|vote ?time|voter)([ _-]?(id|number|no\.?|name))?$/i;

/**
 * The columns that hold votes, by index.
 *
 * @param wanted headers, numbers or ranges, such as `4-8` or `Rank 1,Rank 2`; if absent, all columns that are not about the
 * ballot itself, such as `precinct` or `voter id`
 */
export function columnsOf(header: Row, wanted: string | undefined): number[] {
  const { cells } = header;
  if (wanted === undefined) return cells.flatMap((cell, i) => (ABOUT.test(cell) ? [] : [i]));
  const [parts = []] = parse(wanted, { trim: true }) as string[][];
  return parts.flatMap((part) => {
    const named = cells.indexOf(part);
    if (named !== -1) return [named];
    const [, from, to = from] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(part) ?? [];
    if (from !== undefined && Number(from) >= 1 && Number(from) <= Number(to) && Number(to) <= cells.length) {
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) - 1 + i);
    }
    const known = cells.map((cell, i) => `${i + 1} ${quoted(cell)}`).join(', ');
    throw new BallotFileError(
      header.placeOf(0),
      `there is no column ${quoted(part)}; the file has ${numbered(cells.length, 'column')}: ${known}`,
    );
  });
}

import {
  BallotBox,
  type BallotFile,
  BallotFileError,
  type BallotReader,
  keyOf,
  MAX_CANDIDATES,
  quoted,
  uniqueNames,
} from './ballot-file.ts';
import { CsvRows, columnsOf, type Row } from './csv-rows.ts';

/** How the grades of a table of score ballots are read. */
export interface ScoreOptions {
  /** Headers, numbers or ranges of the columns with grades. */
  readonly columns?: string | undefined;
  /** The highest grade; default 5. */
  readonly maxGrade?: number | undefined;
}

/**
 * Score ballots as a table: a header with the names of the candidates, and below it one row per ballot with a grade for each.
 * A cell without a grade counts as 0.
 */
export class ScoreReader implements BallotReader {
  private readonly options: ScoreOptions;
  private readonly box = new BallotBox();
  private readonly rows = new CsvRows();
  private columns: number[] | undefined;
  private names: string[] = [];

  constructor(options: ScoreOptions = {}) {
    this.options = options;
  }

  take(text: string, line: number): void {
    const row = this.rows.take(text, line);
    if (!row) return;
    if (this.columns === undefined) this.readHeader(row);
    else this.box.add(this.choiceOf(row), '1', row.placeOf(0));
  }

  end(): BallotFile {
    this.rows.end();
    if (this.columns === undefined)
      throw new BallotFileError(
        { line: 1, column: 1 },
        'the file is empty; expected a header with names, then a row of grades for each ballot',
      );
    const { box, names } = this;
    return { candidates: names, withdrawn: [], form: 'grades', tally: box.tally, blank: box.blank, notes: [] };
  }

  private readHeader(row: Row): void {
    this.columns = columnsOf(row, this.options.columns);
    const headers = this.columns.map((column) => row.cells[column] ?? '');
    const empty = headers.indexOf('');
    if (empty !== -1)
      throw new BallotFileError(
        row.placeOf(this.columns[empty] as number),
        'the header is empty; expected the name of a candidate',
      );
    if (headers.length === 0 || headers.length > MAX_CANDIDATES)
      throw new BallotFileError(
        row.placeOf(0),
        `${headers.length} columns hold grades; expected 1 to ${MAX_CANDIDATES}. Name them with --columns`,
      );
    this.names = uniqueNames(headers);
  }

  /** Every grade of the ballot, or an empty choice if it has none. */
  private choiceOf(row: Row): string {
    const { maxGrade = 5 } = this.options;
    const grades = (this.columns as number[]).flatMap((column, i) => {
      const text = row.cells[column] ?? '';
      if (text === '') return [];
      const grade = /^\d{1,3}$/.test(text) ? Number(text) : -1;
      if (grade < 0 || grade > maxGrade) {
        throw new BallotFileError(
          row.placeOf(column),
          `the grade is ${quoted(text)}; expected a whole number from 0 to ${maxGrade} (--max-grade sets the highest, --columns the columns)`,
        );
      }
      return [`${keyOf(i)}:${grade}`];
    });
    return grades.join(',');
  }
}

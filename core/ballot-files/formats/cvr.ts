import {
  BallotBox,
  type BallotFile,
  BallotFileError,
  type BallotReader,
  keyOf,
  MAX_CANDIDATES,
  numbered,
  type Place,
  quoted,
  uniqueNames,
} from './ballot-file.ts';
import { CsvRows, columnsOf, type Row } from './csv-rows.ts';

/** How the cells of a table of ballots are read. */
export interface CvrOptions {
  /** Headers, numbers or ranges of the columns with votes: `4-8`, `Rank 1,Rank 2`. */
  readonly columns?: string | undefined;
  /**
   * What cells hold: `names` of candidates in columns for ranks, or `ranks` in columns for candidates. By default, `names` if
   * the headers look like ranks (`Rank 1`, `2nd choice`).
   */
  readonly cells?: 'names' | 'ranks' | undefined;
  /** If given, no other names may occur, and this is the order of the candidates. */
  readonly candidates?: readonly string[] | undefined;
  /** What happens at a rank with several candidates; default `exhaust`. */
  readonly overvotes?: 'exhaust' | 'skip' | 'equal' | undefined;
  /** The number of consecutive ranks that may be left out before the rest of a ballot is ignored; default 1. */
  readonly maxSkipped?: number | undefined;
  /** What happens if a candidate is ranked again: the second rank is ignored (default), or the ballot ends before it. */
  readonly repeats?: 'ignore' | 'exhaust' | undefined;
  /** What a cell with an overvote says; default `overvote`. */
  readonly overvoteLabel?: string | undefined;
  /** What a cell of a skipped rank says, besides nothing; default `undervote`. */
  readonly skippedLabel?: string | undefined;
  /** What separates several candidates in a cell; by default, a cell holds one. */
  readonly delimiter?: string | undefined;
}

/** What a ballot says at one rank: candidates by index, or only that there were too many. */
type Rank = readonly number[] | 'overvote';

const RANK_HEADER =
  /\b(1st|2nd|3rd|\d+th|first|second|third|fourth|fifth)\b|\b(rank|choice|pref|preference)[\s_-]*\d+\b|^\d+$/i;

/**
 * Cast vote records as a table: one row per ballot below a header. Overvotes, skipped ranks and repeated candidates are
 * treated as by RCTab (github.com/BrightSpots/rcv), whose suggested settings are the defaults: a ballot ends before an
 * overvote, and where more than one consecutive rank was skipped; a second rank of the same candidate has no effect.
 */
export class CvrReader implements BallotReader {
  private readonly options: CvrOptions;
  private readonly box = new BallotBox();
  private readonly rows = new CsvRows();
  private columns: number[] | undefined;
  private cells: 'names' | 'ranks' = 'names';
  /** The candidates whom the columns are for, if cells hold ranks. */
  private headers: number[] = [];
  private readonly names: string[] = [];
  private readonly indices = new Map<string, number>();
  private readonly shortened = { overvotes: 0, skips: 0, repeats: 0 };

  constructor(options: CvrOptions = {}) {
    this.options = options;
    for (const name of options.candidates ?? []) this.addCandidate(name);
  }

  take(text: string, line: number): void {
    const row = this.rows.take(text, line);
    if (!row) return;
    if (this.columns === undefined) this.readHeader(row);
    else
      this.box.add(
        this.choiceOf(this.cells === 'names' ? this.byRank(row) : this.byCandidate(row)),
        '1',
        row.placeOf(0),
      );
  }

  end(): BallotFile {
    this.rows.end();
    if (this.columns === undefined)
      throw new BallotFileError(
        { line: 1, column: 1 },
        'the file is empty; expected a header, then a row for each ballot',
      );
    const { box, names } = this;
    return { candidates: names, withdrawn: [], form: 'ranks', tally: box.tally, blank: box.blank, notes: this.notes() };
  }

  private notes(): string[] {
    const { overvotes, skips, repeats } = this.shortened;
    const { maxSkipped = 1 } = this.options;
    const after = (count: number, why: string) =>
      count > 0 ? [`${numbered(count, 'ballot')} counted only up to ${why}`] : [];
    return [
      ...after(overvotes, 'an overvote (--overvotes skip or equal continues after it)'),
      ...after(skips, `more than ${numbered(maxSkipped, 'skipped rank')} (--max-skipped sets the number)`),
      ...after(repeats, 'a repeated candidate'),
    ];
  }

  private readHeader(row: Row): void {
    const columns = columnsOf(row, this.options.columns);
    const headers = columns.map((column) => row.cells[column] ?? '');
    if (columns.length === 0)
      throw new BallotFileError(row.placeOf(0), 'no column holds votes; name them with --columns');
    const rankColumns = columns.filter((_, i) => RANK_HEADER.test(headers[i] as string));
    this.cells = this.options.cells ?? (rankColumns.length > 0 ? 'names' : 'ranks');
    // Without --columns, other columns beside those for ranks cannot hold votes.
    const isGuessed = this.options.columns === undefined && this.cells === 'names' && rankColumns.length > 0;
    this.columns = isGuessed ? rankColumns : columns;
    if (this.cells === 'names') return;
    const empty = headers.indexOf('');
    if (empty !== -1)
      throw new BallotFileError(
        row.placeOf(columns[empty] as number),
        'the header is empty; expected the name of a candidate',
      );
    if (columns.length > MAX_CANDIDATES)
      throw new BallotFileError(
        row.placeOf(0),
        `${columns.length} candidates; a file may have at most ${MAX_CANDIDATES}`,
      );
    this.headers = uniqueNames(headers).map((name, i) => {
      const index = this.indices.get(name);
      if (index === undefined && this.options.candidates) throw this.unknown(name, row.placeOf(columns[i] as number));
      return index ?? this.addCandidate(name);
    });
  }

  private addCandidate(name: string): number {
    const index = this.names.push(name) - 1;
    this.indices.set(name, index);
    return index;
  }

  private unknown(name: string, place: Place): BallotFileError {
    return new BallotFileError(place, `${quoted(name)} is not a candidate; expected one of ${this.names.join(', ')}`);
  }

  /** The ranks of a ballot whose cells hold names: first rank first, undefined where a rank is skipped. */
  private byRank(row: Row): (Rank | undefined)[] {
    const { overvoteLabel = 'overvote', skippedLabel = 'undervote', delimiter } = this.options;
    return (this.columns as number[]).map((column) => {
      const text = row.cells[column] ?? '';
      if (text === '' || isSame(text, skippedLabel)) return undefined;
      if (isSame(text, overvoteLabel)) return 'overvote';
      const names =
        delimiter === undefined || delimiter === '' ? [text] : text.split(delimiter).map((name) => name.trim());
      return names.map((name) => {
        const place = () => row.placeOf(column);
        if (name === '')
          throw new BallotFileError(
            place(),
            `${quoted(text)}; expected names of candidates separated by ${quoted(delimiter ?? '')}`,
          );
        const index = this.indices.get(name);
        if (index !== undefined) return index;
        if (this.options.candidates) throw this.unknown(name, place());
        if (this.names.length >= MAX_CANDIDATES)
          throw new BallotFileError(
            place(),
            `more than ${MAX_CANDIDATES} candidates; a file may not have more. If the column does not hold names, choose others with --columns`,
          );
        return this.addCandidate(name);
      });
    });
  }

  /** The ranks of a ballot whose cells hold ranks. */
  private byCandidate(row: Row): (Rank | undefined)[] {
    const { skippedLabel = 'undervote' } = this.options;
    const ranks: (number[] | undefined)[] = [];
    for (const [i, column] of (this.columns as number[]).entries()) {
      const text = row.cells[column] ?? '';
      if (text === '' || isSame(text, skippedLabel)) continue;
      const rank = /^\d{1,4}$/.test(text) ? Number(text) : 0;
      if (rank === 0) {
        throw new BallotFileError(
          row.placeOf(column),
          `${quoted(text)}; expected a rank such as 1, or nothing. If cells hold names, say --cells names; if grades, --method star; --columns chooses the columns`,
        );
      }
      ranks[rank - 1] = [...(ranks[rank - 1] ?? []), this.headers[i] as number];
    }
    return Array.from(ranks);
  }

  private choiceOf(ranks: readonly (Rank | undefined)[]): string {
    const { overvotes = 'exhaust', maxSkipped = 1, repeats = 'ignore' } = this.options;
    const groups: string[] = [];
    /** Candidates whom the ballot counts for, and all whom it ranks, also in overvotes. */
    const [seen, ranked] = [new Set<number>(), new Set<number>()];
    let skipped = 0;
    for (const rank of ranks) {
      if (rank === undefined) {
        skipped++;
        continue;
      }
      if (skipped > maxSkipped) {
        this.shortened.skips++;
        break;
      }
      skipped = 0;
      if (repeats === 'exhaust' && rank !== 'overvote') {
        if (rank.some((candidate) => ranked.has(candidate))) {
          this.shortened.repeats++;
          break;
        }
        for (const candidate of rank) ranked.add(candidate);
      }
      if (rank === 'overvote' || (rank.length > 1 && overvotes !== 'equal')) {
        if (overvotes === 'skip') continue;
        this.shortened.overvotes++;
        break;
      }
      const fresh = rank.filter((candidate) => !seen.has(candidate));
      for (const candidate of fresh) seen.add(candidate);
      if (fresh.length > 0)
        groups.push(
          [...new Set(fresh)]
            .sort((a, b) => a - b)
            .map(keyOf)
            .join('='),
        );
    }
    return groups.join('>');
  }
}

function isSame(text: string, label: string): boolean {
  return label !== '' && text.toLowerCase() === label.toLowerCase();
}

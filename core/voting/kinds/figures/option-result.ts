import type { Leaders } from '../../rules/tie.ts';

/** One line of a result. Figures are null while they are hidden. */
export interface OptionResult {
  readonly key: string;
  readonly label: string;
  /** Ballots; in a points poll, points; in a score poll, the sum of grades. */
  readonly count: number | null;
  /** Between 0 and 1; by weight in weighted polls. */
  readonly share: number | null;
  /** Exact, as text; only in weighted polls. */
  readonly weight?: string;
}

/** What the results of all kinds have: a line per option, and the leading options if the kind has any. */
export interface OptionFigures<Line extends OptionResult = OptionResult> extends Partial<Leaders> {
  readonly options: readonly Line[];
}

/** `part` divided by `whole`, between 0 and 1; 0 if `whole` is 0. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

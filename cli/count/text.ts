import type { Outcome } from '../../core/ballot-files/count.ts';
import { methodOf } from '../../core/ballot-files/methods.ts';
import { printable, table } from '../operator/table.ts';

/** How many rounds are printed side by side. */
const ROUNDS_PER_TABLE = 6;
/** The most candidates whose comparisons are printed. */
const MAX_COMPARED = 30;

/** A step of a count in rounds or stages: what each candidate had, and what followed. */
interface Step {
  readonly title: string;
  readonly votes: ReadonlyMap<string, string>;
  /** Votes that no candidate has. */
  readonly others: string;
  readonly notes: readonly string[];
}

interface Amount {
  readonly name: string;
  readonly count?: number | null;
  readonly weight?: string;
  readonly votes?: string;
  readonly mean?: number | null;
}

interface Round {
  readonly counts: readonly Amount[];
  readonly exhausted: Amount;
  readonly eliminated: readonly string[];
  readonly tied?: readonly string[];
}

interface Stage {
  readonly what: string;
  readonly of?: string;
  readonly votes: readonly Amount[];
  readonly nonTransferable: string;
  readonly elected: readonly string[];
  readonly excluded: readonly string[];
  readonly tied?: readonly string[];
}

/** The figures that this text knows; others are only in the JSON. */
interface Known {
  readonly options?: readonly Amount[];
  readonly quota?: string;
  readonly rounds?: readonly Round[];
  readonly stages?: readonly Stage[];
  readonly points?: readonly { readonly name: string; readonly points: number }[];
  readonly matrix?: readonly (readonly (number | string | null)[])[];
  readonly condorcetWinner?: string | null;
  readonly runoff?: readonly { readonly name: string; readonly preferredBy: number | string }[];
  readonly tied?: readonly string[];
  readonly tieBrokenBy?: string;
}

/** The outcome of a count as text: what was counted, the steps as tables, and who is elected. */
export function outcomeText(outcome: Outcome): string {
  const figures = outcome.figures as Known;
  const parts = [headText(outcome, figures), figuresText(outcome, figures), endText(outcome, figures)];
  return parts.filter((part) => part !== '').join('\n\n');
}

function headText(
  { title, method, rules, seats, ballots, weight, blank, candidates, withdrawn, notes }: Outcome,
  { quota }: Known,
): string {
  const lines = [
    ...(title ? [printable(title)] : []),
    [methodOf(method).title, rules && `${rules} rules`, plural(seats, 'seat'), plural(candidates.length, 'candidate')]
      .filter(Boolean)
      .join(', '),
    [
      plural(ballots, 'ballot') + (weight ? ` with a weight of ${weight}` : ''),
      blank > 0 && `${blank.toLocaleString('en')} blank (not counted)`,
      quota && `quota ${quota}`,
    ]
      .filter(Boolean)
      .join(', '),
    ...(withdrawn.length > 0 ? [`withdrawn: ${names(withdrawn)}`] : []),
    ...notes.map((note) => `note: ${note}`),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}

function figuresText(
  { candidates }: Outcome,
  { rounds, stages, points, matrix, condorcetWinner, options = [], runoff }: Known,
): string {
  if (rounds) return stepsText(candidates, rounds.map(ofRound), 'exhausted');
  if (stages) return stepsText(candidates, stages.map(ofStage), 'not transferable');
  if (points)
    return table(
      ['candidate', 'points'],
      points.map(({ name, points }) => [name, Number(points.toFixed(4))]),
    );
  if (matrix) return matrixText(candidates, matrix, condorcetWinner);
  const hasMean = options.some(({ mean }) => mean !== undefined);
  const rows = options.map((line) => [line.name, amount(line), ...(hasMean ? [line.mean?.toFixed(3) ?? '–'] : [])]);
  const lines = (runoff ?? []).map(
    ({ name, preferredBy }) => `  runoff: ${printable(name)} preferred by ${preferredBy}`,
  );
  return [
    table(hasMean ? ['candidate', 'total', 'mean'] : ['candidate', 'votes'], rows),
    ...(lines.length > 0 ? ['', ...lines] : []),
  ].join('\n');
}

function ofRound({ counts, exhausted, eliminated, tied }: Round, i: number): Step {
  const votes = new Map(counts.map((line) => [line.name, amount(line)]));
  const notes = [...(eliminated.length > 0 ? [`eliminated: ${names(eliminated)}`] : []), ...tieNotes(tied)];
  return { title: `round ${i + 1}`, votes, others: amount(exhausted), notes };
}

function ofStage({ what, of, votes, nonTransferable, elected, excluded, tied }: Stage, i: number): Step {
  const gone = excluded.length > 1 ? names(excluded) : of && printable(of);
  const notes = [
    `${what}${gone ? ` of ${gone}` : ''}`,
    ...(elected.length > 0 ? [`elected: ${names(elected)}`] : []),
    ...tieNotes(tied),
  ];
  return {
    title: `stage ${i + 1}`,
    votes: new Map(votes.map((line) => [line.name, amount(line)])),
    others: nonTransferable,
    notes,
  };
}

function tieNotes(tied: readonly string[] | undefined): string[] {
  return tied && tied.length > 1 ? [`level: ${names(tied)}`] : [];
}

function stepsText(candidates: readonly string[], steps: readonly Step[], others: string): string {
  const parts: string[] = [];
  for (let from = 0; from < steps.length; from += ROUNDS_PER_TABLE) {
    const shown = steps.slice(from, from + ROUNDS_PER_TABLE);
    const present = candidates.filter((name) => shown.some(({ votes }) => !isNone(votes.get(name))));
    const rows = present.map((name) => [
      name,
      ...shown.map(({ votes }) => (isNone(votes.get(name)) ? '–' : votes.get(name))),
    ]);
    parts.push(
      table(
        ['candidate', ...shown.map(({ title }) => title)],
        [...rows, [others, ...shown.map((step) => step.others)]],
      ),
    );
    parts.push(shown.map(({ title, notes }) => `  ${title}: ${notes.join('; ') || 'decided'}`).join('\n'));
  }
  return parts.join('\n\n');
}

function isNone(votes: string | undefined): boolean {
  return votes === undefined || votes === '0';
}

function matrixText(
  candidates: readonly string[],
  matrix: NonNullable<Known['matrix']>,
  winner: string | null | undefined,
): string {
  const beats =
    winner === null || winner === undefined
      ? 'nobody beats every other candidate'
      : `${printable(winner)} beats every other candidate`;
  if (candidates.length > MAX_COMPARED)
    return `  ${beats}; for the comparisons of ${candidates.length} candidates, use --json`;
  const head = ['preferred to', ...candidates.map((_, i) => `(${i + 1})`)];
  const rows = matrix.map((row, i) => [`(${i + 1}) ${candidates[i]}`, ...row.map((votes) => votes ?? '–')]);
  return `${table(head, rows)}\n\n  ${beats}`;
}

function endText({ winners, unresolved, ballots }: Outcome, { tieBrokenBy, tied = [] }: Known): string {
  if (ballots === 0) return '  nobody is elected: no ballot names a candidate';
  const lines: string[] = [];
  if (winners.length > 0) lines.push(`  elected: ${names(winners)}`);
  if (tieBrokenBy) lines.push(`  level: ${names(tied)}; decided by ${tieBrokenBy}`);
  if (unresolved.length > 0) {
    // Elected candidates can be level, too: which surplus is transferred first may decide who gets another seat.
    const isOrder = unresolved.every((name) => winners.includes(name));
    const what = isOrder ? 'undecided, because it depends on the order of' : 'undecided between';
    lines.push(`  ${what}: ${names(unresolved)} (--tie-break or --lot decides)`);
  }
  return lines.join('\n') || '  nobody is elected';
}

function amount({ votes, weight, count }: Omit<Amount, 'name'>): string {
  return votes ?? weight ?? String(count ?? 0);
}

function names(list: readonly string[]): string {
  return list.map(printable).join(', ');
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

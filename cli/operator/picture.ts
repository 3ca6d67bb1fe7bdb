import type { Result } from '../../core/voting/result.ts';
import type { Test } from '../../core/voting/verdict.ts';
import { printable, table } from './table.ts';

/** The longest bar, characters. */
const BAR_WIDTH = 30;
/** Rounds and stages are told one by one up to this many. */
const MAX_ROUNDS = 30;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

interface Round {
  readonly counts: readonly { readonly key: string; readonly count: number; readonly weight?: string }[];
  readonly eliminated: readonly string[];
  readonly tied?: readonly string[];
}
interface Stage {
  readonly what: string;
  readonly of?: string;
  readonly votes: readonly { readonly key: string; readonly votes: string }[];
  readonly elected: readonly string[];
  readonly excluded: readonly string[];
}

/** A result as people read it in a terminal. */
export function resultPicture(result: Result): string {
  const { title, poll, kind, round, status, final, at, hidden } = result;
  const state = final ? 'final' : status;
  const parts = [
    `  ${printable(title || poll)}`,
    `  ${poll} · ${kind} · round ${round} · ${state}${at ? ` · ${at}` : ''}`,
    '',
    hidden ? '  figures are not to be seen now' : bars(result),
    ...(hidden ? [] : figureLines(result)),
    '',
    ...turnoutLines(result),
    ...verdictLines(result),
    accountingLine(result),
  ];
  return parts.filter((part) => part !== undefined).join('\n');
}

/** In one line, for logs. */
export function resultLine({ poll, round, status, final, ballots, options }: Result): string {
  const counts = options.map(({ key, count }) => `${printable(key)} ${count ?? '–'}`).join(', ');
  return `${poll} round ${round} ${final ? 'final' : status}: ${ballots ?? '–'} ballots: ${counts}`;
}

function bars({ options, winners }: Result): string {
  const ahead = new Set((winners as readonly string[] | undefined) ?? []);
  return table(
    ['', 'option', 'count', 'share', ''],
    options.map(({ key, label, count, share, weight }) => [
      ahead.has(key) ? '▶' : '',
      key === label ? label : `${key}  ${label}`,
      weight === undefined ? count : `${weight} (${count})`,
      share === null ? '' : `${(100 * share).toFixed(1)} %`,
      bar(share ?? 0),
    ]),
  );
}

function bar(share: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

function figureLines(result: Result): string[] {
  const lines: string[] = [];
  const tell = (name: string, value: unknown) => {
    if (typeof value === 'number') lines.push(`  ${name.padEnd(20)} ${Number(value.toFixed(4))}`);
  };
  for (const [name, field] of Object.entries(FIGURES)) tell(name, result[field]);
  const { rounds, stages, winners, tied, tieBrokenBy, unresolved, groups } = result as unknown as {
    rounds?: Round[];
    stages?: Stage[];
    winners?: string[];
    tied?: string[];
    tieBrokenBy?: string;
    unresolved?: string[];
    groups?: Result['groups'];
  };
  if (rounds) lines.push('', ...roundLines(rounds));
  if (stages) lines.push('', ...stageLines(stages, String(result.quota)));
  for (const { group, ballots, options } of groups ?? []) {
    const counts = options.map(({ key, count, weight }) => `${key} ${weight ?? count}`).join(', ');
    lines.push(`  ${group ?? '(others)'}: ${ballots} ballots: ${counts}`);
  }
  if (winners && winners.length > 0) lines.push(`  ahead                ${winners.join(', ')}`);
  if (tied) lines.push(`  tied                 ${tied.join(', ')}${tieBrokenBy ? `; decided by ${tieBrokenBy}` : ''}`);
  if (unresolved) lines.push(`  a tie nobody broke   ${unresolved.join(', ')}`);
  return lines;
}

const FIGURES = {
  n: 'n',
  mean: 'mean',
  median: 'median',
  'standard deviation': 'standardDeviation',
  'trimmed mean': 'trimmedMean',
  'net promoter score': 'netPromoterScore',
  selections: 'selections',
  points: 'points',
  late: 'late',
};

function roundLines(rounds: readonly Round[]): string[] {
  return rounds.slice(0, MAX_ROUNDS).map(({ counts, eliminated, tied }, i) => {
    const told = counts.map(({ key, count, weight }) => `${key} ${weight ?? count}`).join('  ');
    const out = eliminated.length > 0 ? `  out: ${eliminated.join(', ')}` : '';
    return `  round ${i + 1}: ${told}${out}${tied ? `  (tied: ${tied.join(', ')})` : ''}`;
  });
}

function stageLines(stages: readonly Stage[], quota: string): string[] {
  const told = stages.slice(0, MAX_ROUNDS).map(({ what, of, votes, elected }, i) => {
    const counts = votes.map(({ key, votes }) => `${key} ${votes}`).join('  ');
    const seated = elected.length > 0 ? `  elected: ${elected.join(', ')}` : '';
    return `  stage ${i + 1}, ${what}${of ? ` of ${of}` : ''}: ${counts}${seated}`;
  });
  return [`  quota ${quota}`, ...told];
}

function turnoutLines({ turnout, ballots }: Result): string[] {
  if (!turnout) return [];
  const { entitled, share, weight } = turnout;
  const of = entitled === null ? '' : ` of ${entitled}${share === null ? '' : ` (${(100 * share).toFixed(1)} %)`}`;
  const weighed = weight ? `, weight ${weight.voted}${weight.entitled === null ? '' : ` of ${weight.entitled}`}` : '';
  return [`  voted                ${ballots}${of}${weighed}`];
}

function verdictLines({ verdict }: Result): string[] {
  if (!verdict) return [];
  const { adopted, option, majority = [], quorum = [], quorate } = verdict;
  const tell = (what: string, { share, number, of, by, part, whole, met, when }: Test) => {
    const asked = share ? `${share} of ${of}` : `at least ${number}`;
    const had = `${part ?? '?'}${whole === null ? '' : ` of ${whole}`}`;
    return `  ${what}: ${asked} by ${by}${when ? `, at the ${when}` : ''}: ${had}: ${yesNo(met)}`;
  };
  return [
    ...majority.map((test) => tell('majority', test)),
    ...quorum.map((test) => tell('quorum', test)),
    ...(quorate === undefined ? [] : [`  quorum reached       ${yesNo(quorate)}`]),
    ...(adopted === undefined ? [] : [`  adopted              ${yesNo(adopted)}${option ? ` (${option})` : ''}`]),
  ];
}

const yesNo = (is: boolean | null): string => (is === null ? 'not known' : is ? 'yes' : 'NO');

/** received = counted + replaced + redelivered + rejected. */
export function accountingLine({ accounting }: Pick<Result, 'accounting'>): string {
  if (!accounting) return '';
  const { received, counted, replaced, redelivered, rejected } = accounting;
  const reasons = Object.entries(rejected).map(([reason, count]) => `${reason} ${count}`);
  const sum = Object.values(rejected).reduce((a, b) => a + b, 0);
  const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
  return `  received ${received} = counted ${counted} + replaced ${replaced} + redelivered ${redelivered} + rejected ${sum}${why}`;
}

import type { OpenResult, Result } from '../../../client/answers.ts';
import { type Accounting, totalRejected } from '../../../core/voting/count/accounting.ts';
import { decimalsOf, thresholdsIn } from '../../../core/voting/result/percent.ts';
import { printable, table } from '../table.ts';
import { figuresText } from './figures.ts';

/** The maximum length of a bar, in characters. */
const BAR_WIDTH = 30;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Formats a result for a terminal. */
export function resultText(result: Result): string {
  const { title, poll, kind, round, status, final, at, missing } = result;
  const state = final ? 'final' : status;
  return [
    `  ${printable(title || poll)}`,
    `  ${poll} · ${kind} · round ${round} · ${state}${at ? ` · ${at}` : ''}`,
    '',
    ...(result.hidden ? ['  results are hidden for now'] : [bars(result), ...figuresText(result)]),
    '',
    ...turnoutLines(result),
    ...(result.hidden ? [] : verdictLines(result)),
    accountingLine(result),
    ...(missing ? [missingLine(missing)] : []),
  ].join('\n');
}

/** Formats a result as one line, for logs. */
export function resultLine({ poll, round, status, final, ballots, options }: Result): string {
  const counts = options.map(({ key, count }) => `${printable(key)} ${count ?? '–'}`).join(', ');
  return `${poll} round ${round} ${final ? 'final' : status}: ${ballots ?? '–'} ballots: ${counts}`;
}

function bars(result: OpenResult): string {
  const { options, winners = [] } = result;
  return table(
    ['', 'option', 'count', 'share', ''],
    options.map(({ key, label, count, share, weight }) => [
      winners.includes(key) ? '▶' : '',
      key === label ? label : `${key}  ${label}`,
      weight === undefined ? count : `${weight} (${count})`,
      share === null ? '' : percent(share, result),
      bar(share ?? 0),
    ]),
  );
}

/** A share as a percentage, never rounded across a majority or quorum of the poll. */
function percent(share: number, result: Result): string {
  return `${(100 * share).toFixed(decimalsOf(share, thresholdsIn(result)))} %`;
}

function bar(share: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

function turnoutLines(result: Result): string[] {
  const { turnout, ballots } = result;
  if (!turnout) return [];
  const { entitled, share, weight } = turnout;
  const of = entitled === null ? '' : ` of ${entitled}${share === null ? '' : ` (${percent(share, result)})`}`;
  const weighed = weight ? `, weight ${weight.voted}${weight.entitled === null ? '' : ` of ${weight.entitled}`}` : '';
  return [`  voted                ${ballots}${of}${weighed}`];
}

type Check = NonNullable<NonNullable<OpenResult['verdict']>['majority']>[number];

function verdictLines({ verdict }: OpenResult): string[] {
  if (!verdict) return [];
  const { adopted, option, majority = [], quorum = [], quorate } = verdict;
  const line = (what: string, { share, number, of, by, part, whole, met, when }: Check) => {
    const needed = share ? `${share} of ${of}` : `at least ${number}`;
    const reached = `${part ?? '?'}${whole === null ? '' : ` of ${whole}`}`;
    return `  ${what}: ${needed} by ${by}${when ? `, at the ${when}` : ''}: ${reached}: ${yesNo(met)}`;
  };
  return [
    ...majority.map((check) => line('majority', check)),
    ...quorum.map((check) => line('quorum', check)),
    ...(quorate === undefined ? [] : [`  quorum reached       ${yesNo(quorate)}`]),
    ...(adopted === undefined ? [] : [`  adopted              ${yesNo(adopted)}${option ? ` (${option})` : ''}`]),
  ];
}

const yesNo = (is: boolean | null): string => (is === null ? 'unknown' : is ? 'yes' : 'NO');

/** Says that votes may be missing. @param missing how many entries of the log could not be read */
export function missingLine(missing: number): string {
  return `  ! log entries that could not be read: ${missing}; votes may be missing, so this is not final (pollcast log dead)`;
}

/**
 * Formats the accounting: received = counted + replaced + redelivered + rejected. If voting was interrupted, a line for each
 * interruption follows.
 */
export function accountingLine({
  accounting,
  interruptions = [],
}: Pick<Result, 'accounting' | 'interruptions'>): string {
  const pauses = interruptions.map(({ closedAt, continuedAt }) => {
    return `  interrupted          closed ${closedAt}, continued ${continuedAt ?? 'not yet'}`;
  });
  return [accounting ? sumLine(accounting) : '', ...pauses].join('\n');
}

function sumLine(accounting: Accounting): string {
  const { received, counted, replaced, redelivered, rejected } = accounting;
  const reasons = Object.entries(rejected).map(([reason, count]) => `${reason} ${count}`);
  const sum = totalRejected(rejected);
  const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
  return `  received ${received} = counted ${counted} + replaced ${replaced} + redelivered ${redelivered} + rejected ${sum}${why}`;
}

import type { KindName, OpenResult } from '../../../client/answers.ts';
import { undecidedIn, winnersIn } from '../../../core/voting/result/undecided.ts';

/** The maximum number of rounds or stages to print. */
const MAX_ROUNDS = 30;
/** The width of the column with the names of the figures. */
const NAME_WIDTH = 20;

/** Formats the figures of each kind of poll. They are printed below the bars, one per line. */
const figureLines: { readonly [Name in KindName]: (result: OpenResult<Name>) => string[] } = {
  single: (result) => leaderLines(result),
  motion: () => [],
  multiple: (result) => [...named({ selections: result.selections }), ...leaderLines(result)],
  rating: (result) => (result.items ? result.items.flatMap(itemLines) : ratingLines(result)),
  numeric: ({ n, mean, median, standardDeviation, trimmedMean, answer, correct, nearest }) => [
    ...named({ n, mean, median, 'standard deviation': standardDeviation, 'trimmed mean': trimmedMean, answer }),
    ...(correct ? [`  ${'correct'.padEnd(NAME_WIDTH)} ${correct.count}`] : []),
    ...(nearest ? [`  ${'nearest'.padEnd(NAME_WIDTH)} ${nearest.numbers.join(', ')}`] : []),
  ],
  points: (result) => [...named({ points: result.points }), ...leaderLines(result)],
  ranking(result) {
    switch (result.method) {
      case 'irv':
        return ['', ...roundLines(result), ...leaderLines(result)];
      case 'stv':
        return ['', ...stageLines(result), ...leaderLines(result)];
      case 'borda':
        return ['', ...result.points.map(({ key, points }) => `  ${key}: ${points} points`), ...leaderLines(result)];
      case 'condorcet':
        return ['', ...matrixLines(result), ...leaderLines(result)];
    }
  },
  score: (result) => [
    ...(result.runoff ?? []).map(({ key, preferredBy }) => `  runoff: ${key} preferred by ${preferredBy}`),
    ...leaderLines(result),
  ],
  quiz: ({ answer, correct }) => [
    ...(answer ? [`  ${'answer'.padEnd(NAME_WIDTH)} ${answer.join(', ')}`] : []),
    ...(correct ? [`  ${'correct'.padEnd(NAME_WIDTH)} ${correct.count} (${(100 * correct.share).toFixed(1)} %)`] : []),
  ],
  text: ({ phrases }) => named({ phrases }),
  pulse: (result) => leaderLines(result, 'first'),
};

/** The figures of a result, as lines of text. */
export function figuresText(result: OpenResult): string[] {
  const lines = figureLines[result.kind] as (result: OpenResult) => string[];
  return [...lines(result), ...groupLines(result), ...named({ late: result.late })];
}

function named(figures: Readonly<Record<string, number | null | undefined>>): string[] {
  return Object.entries(figures).flatMap(([name, value]) =>
    typeof value === 'number' ? [`  ${name.padEnd(NAME_WIDTH)} ${Number(value.toFixed(4))}`] : [],
  );
}

/** @param place the word for the leaders once the result is final */
function leaderLines(result: OpenResult, place = 'won'): string[] {
  const { tied = [], tieBrokenBy, unresolved, withdrawals = [], final } = result;
  const undecided = undecidedIn(result);
  const line = (name: string, keys: readonly string[], end = '') =>
    keys.length > 0 ? [`  ${name.padEnd(NAME_WIDTH)} ${keys.join(', ')}${end}`] : [];
  return [
    ...line(final ? place : 'ahead', winnersIn(result)),
    ...(undecided.length > 0 && !unresolved && final
      ? []
      : line('tied', tied, tieBrokenBy ? `; decided by ${tieBrokenBy}` : '')),
    ...(final || unresolved ? line('undecided between', undecided) : []),
    ...line(
      'withdrawn',
      withdrawals.map(({ option }) => option),
    ),
  ];
}

type Rated = Extract<OpenResult<'rating'>, { readonly items?: undefined }>;
type Item = NonNullable<Extract<OpenResult<'rating'>, { readonly items: unknown }>['items']>[number];

function ratingLines({ n, mean, median, standardDeviation, topBox, netPromoterScore }: Rated): string[] {
  return named({
    n,
    mean,
    median,
    'standard deviation': standardDeviation,
    'top box': topBox,
    'net promoter score': netPromoterScore,
  });
}

function itemLines({ key, n, mean, median }: Item): string[] {
  return [`  ${key}: mean ${mean?.toFixed(2) ?? '–'}, median ${median ?? '–'}, n ${n}`];
}

function groupLines({ groups = [] }: OpenResult): string[] {
  return groups.map(({ group, ballots, options }) => {
    const counts = options.map(({ key, count, weight }) => `${key} ${weight ?? count}`).join(', ');
    return `  ${group ?? '(others)'}: ${ballots} ballots: ${counts}`;
  });
}

type Ranked<Method extends string> = Extract<OpenResult<'ranking'>, { readonly method: Method }>;

function roundLines({ rounds }: Ranked<'irv'>): string[] {
  return rounds.slice(0, MAX_ROUNDS).map(({ counts, eliminated, tied, tieBrokenBy }, i) => {
    const sums = counts.map(({ key, count, weight }) => `${key} ${weight ?? count}`).join('  ');
    const out = eliminated.length > 0 ? `  out: ${eliminated.join(', ')}` : '';
    return `  round ${i + 1}: ${sums}${out}${tiedText(tied, tieBrokenBy)}`;
  });
}

function stageLines({ stages, quota }: Ranked<'stv'>): string[] {
  const lines = stages.slice(0, MAX_ROUNDS).map(({ what, of, votes, elected, tied, tieBrokenBy }, i) => {
    const sums = votes.map(({ key, votes: has }) => `${key} ${has}`).join('  ');
    const seated = elected.length > 0 ? `  elected: ${elected.join(', ')}` : '';
    return `  stage ${i + 1}, ${what}${of ? ` of ${of}` : ''}: ${sums}${seated}${tiedText(tied, tieBrokenBy)}`;
  });
  return [`  quota ${quota}`, ...lines];
}

function tiedText(tied: readonly string[] | undefined, by: string | undefined): string {
  return tied ? `  (tied: ${tied.join(', ')}${by ? `; decided by ${by}` : ''})` : '';
}

function matrixLines({ matrix, options, condorcetWinner }: Ranked<'condorcet'>): string[] {
  const lines = matrix.map((row, i) => {
    const cells = row.flatMap((votes, j) => (votes === null ? [] : [`${votes} over ${options[j]?.key}`]));
    return `  ${options[i]?.key}: ${cells.join(', ')}`;
  });
  return [
    ...lines,
    condorcetWinner === null ? '  no option beats every other' : `  ${condorcetWinner} beats every other`,
  ];
}

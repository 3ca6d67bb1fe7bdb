import type { Leaderboard as Board } from '../../../core/voting/leaderboard.ts';
import type { Definition } from '../../../core/voting/poll.ts';
import type { Result } from '../../../core/voting/result.ts';
import { formatNumber, formatShare, say, sayCount } from '../words/language.ts';
import { Bars, optionBars } from './bars.tsx';
import { Cloud } from './cloud.tsx';
import { Columns, Facts } from './columns.tsx';
import { type Figures, figuresOf, labelIn, type View } from './figures.ts';
import { Groups } from './groups.tsx';
import { Items } from './items.tsx';
import { Leaderboard } from './leaderboard.tsx';
import { Matrix } from './matrix.tsx';
import { Rounds, Seats } from './rounds.tsx';
import { VerdictTable } from './verdict.tsx';

export interface ChartProps {
  readonly result: Result;
  readonly view: View;
  /** What is known of the question, where it was asked for. */
  readonly definition?: Partial<Definition> | undefined;
  /** Which round of a count by rounds, from 0. */
  readonly step?: number;
  readonly board?: Board | undefined;
}

/** A result, looked at in one way. Timelines and join addresses are the pages' own. */
export function Chart({ result, view, definition = {}, step = Number.POSITIVE_INFINITY, board }: ChartProps) {
  const figures = figuresOf(result);
  const { options, winners = [], final, kind } = figures;
  const caption = say('table.caption');
  switch (view) {
    case 'distribution':
      return (
        <>
          <Columns caption={caption} lines={options} />
          {!result.hidden && <NumberFacts figures={figures} unit={definition.unit} />}
        </>
      );
    case 'items':
      return (
        <Items caption={caption} items={figures.items ?? []} min={definition.min ?? 1} max={definition.max ?? 5} />
      );
    case 'cloud':
      return <Cloud caption={caption} lines={options} />;
    case 'rounds':
      return <Rounds result={figures} step={step} />;
    case 'seats':
      return (
        <>
          <Seats result={figures} />
          <Rounds result={figures} step={step} />
        </>
      );
    case 'points':
      return <BordaPoints figures={figures} />;
    case 'matrix':
      return <Matrix result={figures} />;
    case 'runoff':
      return <Runoff figures={figures} />;
    case 'groups':
      return <Groups result={figures} />;
    case 'verdict':
      return result.verdict ? <VerdictTable verdict={result.verdict} /> : null;
    case 'leaderboard':
      return board ? <Leaderboard board={board} /> : null;
    default:
      return (
        <>
          <Bars
            caption={caption}
            bars={optionBars(options, kind === 'motion' ? [] : winners, {
              isFinal: final,
              hasLeader: kind !== 'ranking',
            })}
            columns={[say('table.option'), say('table.share'), say('table.count'), '']}
          />
          <p class="what">{noteOf(figures)}</p>
        </>
      );
  }
}

/** What has to be known to read the bars rightly. */
function noteOf(figures: Figures): string {
  const { kind, hidden, shareOf, selections, correct, tied, final, windowMs, question } = figures;
  if (hidden) return '';
  const notes: string[] = [];
  if (kind === 'multiple' && selections !== undefined) {
    notes.push(
      sayCount('selections', selections),
      say(shareOf === 'selections' ? 'note.ofSelections' : 'note.ofVoters'),
    );
  }
  if (kind === 'ranking' || (kind === 'quiz' && question === 'ordering')) notes.push(say('note.firstPreferences'));
  if (kind === 'points') notes.push(say('note.points'));
  if (kind === 'score') notes.push(say('note.score'));
  if (kind === 'pulse' && windowMs) notes.push(say('note.pulse', { seconds: formatNumber(windowMs / 1000) }));
  if (correct) notes.push(sayCount('right', correct.count, { share: formatShare(correct.share) }));
  if (final && tied && tied.length > 1)
    notes.push(say('note.tied', { names: tied.map((key) => labelIn(figures, key)).join(', ') }));
  return notes.join(' · ');
}

function NumberFacts({ figures, unit }: { figures: Figures; unit?: string | undefined }) {
  const { n, mean, median, standardDeviation, trimmedMean, quantiles, topBox, netPromoterScore } = figures;
  const { answer, correct, nearest } = figures;
  return (
    <>
      <Facts
        facts={[
          [say('fact.mean'), mean],
          [say('fact.median'), median],
          [say('fact.deviation'), standardDeviation],
          [say('fact.trimmedMean'), trimmedMean],
          [say('fact.p5'), quantiles?.p5],
          [say('fact.p95'), quantiles?.p95],
          [say('fact.topBox'), topBox === undefined ? undefined : topBox * 100, 1],
          [say('fact.promoters'), netPromoterScore, 1],
          [say('fact.n'), n, 0],
        ]}
      />
      {typeof answer === 'number' && (
        <p class="outcome">
          {say('estimate.answer', { answer: `${formatNumber(answer, 6)}${unit ? ` ${unit}` : ''}` })}{' '}
          <small>
            {correct && sayCount('right', correct.count, { share: formatShare(correct.share) })}{' '}
            {nearest && nearest.numbers.length > 0 && say('estimate.nearest', { numbers: nearest.numbers.join(', ') })}
          </small>
        </p>
      )}
      {unit && <p class="what">{say('note.unit', { unit })}</p>}
    </>
  );
}

function BordaPoints({ figures }: { figures: Figures }) {
  const points = Array.isArray(figures.points) ? (figures.points as { key: string; points: number }[]) : [];
  const most = Math.max(1, ...points.map((one) => one.points));
  const winners = figures.winners ?? [];
  return (
    <Bars
      caption={say('view.points')}
      bars={points.map(({ key, points: own }) => ({
        key,
        label: labelIn(figures, key),
        part: own / most,
        figures: [formatNumber(own, 2)],
        mark: winners.includes(key) ? (figures.final ? 'won' : 'lead') : undefined,
      }))}
      columns={[say('table.option'), say('board.points'), '']}
    />
  );
}

function Runoff({ figures }: { figures: Figures }) {
  const { runoff = [], winners = [], final } = figures;
  const all = runoff.reduce((sum, { preferredBy }) => sum + Number(preferredBy), 0);
  return (
    <>
      <p class="what">{say('runoff.about')}</p>
      <Bars
        caption={say('view.runoff')}
        bars={runoff.map(({ key, preferredBy }) => ({
          key,
          label: labelIn(figures, key),
          part: all === 0 ? 0 : Number(preferredBy) / all,
          figures: [formatNumber(Number(preferredBy), 6)],
          mark: winners.includes(key) ? (final ? 'won' : 'lead') : undefined,
        }))}
        columns={[say('table.option'), say('table.count'), '']}
      />
    </>
  );
}

import type { OptionResult } from '../../../core/voting/kinds/figures/option-result.ts';
import { thresholdsIn } from '../../../core/voting/result/percent.ts';
import type { OpenResult, Result } from '../../../core/voting/result/result.ts';
import { winnersIn } from '../../../core/voting/result/undecided.ts';
import { formatNumber, formatShare, say } from '../words/language.ts';
import { type Bar, Bars } from './bars.tsx';
import type { Drawing } from './drawing.ts';

interface BarsOptions<Line extends OptionResult> {
  /** Notes below the bars. */
  readonly notes?: readonly string[];
  /** Whether the longest bar is marked as leading; false if further rounds decide. Default: true. */
  readonly hasLeader?: boolean;
  /** The figures at the end of a bar. Default: share and count. */
  readonly figures?: (line: Line) => readonly string[];
  /** The mark of a bar. Default: leading or won. */
  readonly mark?: (line: Line) => Bar['mark'];
}

/** The number of ballots, or their weight if the poll is weighted. */
export function countText({ count, weight }: OptionResult): string {
  return weight ?? formatNumber(count ?? 0);
}

/** A result’s options as bars. */
export function barsDrawing<Line extends OptionResult>(
  result: Pick<OpenResult, 'final' | 'winners' | 'tied' | 'unresolved' | 'tieBrokenBy' | 'verdict'> & {
    readonly options: readonly Line[];
  },
  { notes = [], ...options }: BarsOptions<Line> = {},
): Drawing {
  return {
    view: 'bars',
    draw: () => (
      <>
        <OptionBars bars={optionBars(result, options)} />
        <p class="what">{notes.join(' · ')}</p>
      </>
    ),
  };
}

/** The options of a hidden result, without figures. */
export function EmptyBars({ result }: { result: Result }) {
  const bars = result.options.map(({ key, label }) => ({ key, label, part: null, figures: [] }));
  return <OptionBars bars={bars} />;
}

function OptionBars({ bars }: { bars: readonly Bar[] }) {
  const columns = [say('table.option'), say('table.share'), say('table.count'), ''];
  return <Bars caption={say('table.caption')} bars={bars} columns={columns} />;
}

function optionBars<Line extends OptionResult>(
  result: Parameters<typeof barsDrawing<Line>>[0],
  { hasLeader = true, figures, mark }: BarsOptions<Line>,
): Bar[] {
  const { options, final } = result;
  const winners = winnersIn(result);
  const thresholds = thresholdsIn(result);
  const defaultFigures = (line: Line) => [formatShare(line.share ?? 0, thresholds), countText(line)];
  const most = Math.max(0, ...options.map(({ count }) => count ?? 0));
  const defaultMark = ({ key, count }: Line) => {
    if (final && winners.includes(key)) return 'won';
    return hasLeader && count !== null && count > 0 && count === most ? 'lead' : undefined;
  };
  return options.map((line) => ({
    key: line.key,
    label: line.label,
    part: line.share,
    figures: line.count === null ? [] : (figures ?? defaultFigures)(line),
    mark: (mark ?? defaultMark)(line),
  }));
}

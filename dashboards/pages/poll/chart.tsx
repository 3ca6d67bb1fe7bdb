import type { Definition } from '../../../core/voting/kinds/definition.ts';
import type { Leaderboard } from '../../../core/voting/result/leaderboard.ts';
import type { HiddenResult, OpenResult, Result } from '../../../core/voting/result/result.ts';
import { Cloud } from '../charts/cloud.tsx';
import { Distribution } from '../charts/distribution.tsx';
import type { View } from '../charts/drawing.ts';
import { Groups } from '../charts/groups.tsx';
import { LeaderboardTable } from '../charts/leaderboard.tsx';
import { EmptyBars } from '../charts/option-bars.tsx';
import { VerdictTable } from '../charts/outcome/verdict.tsx';
import { kindChartOf } from '../kinds/index.ts';
import { say } from '../words/language.ts';
import { drawingsOf } from './views.ts';

export interface ChartProps {
  readonly result: Result;
  readonly view: View;
  /** The question’s settings, as far as they are known. */
  readonly definition?: Partial<Definition> | undefined;
  /** The index of the round in a multi-round count, from 0. */
  readonly step?: number;
  readonly board?: Leaderboard | undefined;
}

/** One view of a result. Pages draw the timeline and the join address themselves. */
export function Chart({ result, view, definition = {}, step = Number.POSITIVE_INFINITY, board }: ChartProps) {
  if (view === 'leaderboard') return board ? <LeaderboardTable board={board} /> : null;
  if (result.hidden) return <HiddenChart result={result} />;
  return (
    drawingsOf(result, definition)
      .find((drawing) => drawing.view === view)
      ?.draw(step) ?? <RuleChart result={result} view={view} />
  );
}

/** The views that a poll’s rules add to those of its kind. */
function RuleChart({ result, view }: { result: OpenResult; view: View }) {
  if (view === 'verdict' && result.verdict) return <VerdictTable verdict={result.verdict} />;
  if (view === 'groups' && result.groups) return <Groups options={result.options} groups={result.groups} />;
  return null;
}

function HiddenChart({ result }: { result: HiddenResult }) {
  const caption = say('table.caption');
  switch (kindChartOf(result).hiddenView) {
    case 'distribution':
      return <Distribution caption={caption} lines={result.options} />;
    case 'cloud':
      return <Cloud caption={caption} lines={result.options} />;
    default:
      return <EmptyBars result={result} />;
  }
}

import { winnersIn } from '../../../../core/voting/result/undecided.ts';
import { formatNumber, say } from '../../words/language.ts';
import { Bars } from '../bars.tsx';
import { labelIn } from '../drawing.ts';
import type { Ranked } from './rounds.tsx';

/** The points of a Borda count. */
export function BordaPoints({ result }: { result: Ranked<'borda'> }) {
  const { points, winners = [], final } = result;
  const won = winnersIn(result);
  const most = Math.max(1, ...points.map((one) => one.points));
  return (
    <Bars
      caption={say('view.points')}
      bars={points.map(({ key, points: own }) => ({
        key,
        label: labelIn(result, key),
        part: own / most,
        figures: [formatNumber(own, 2)],
        mark: won.includes(key) && final ? 'won' : winners.includes(key) ? 'lead' : undefined,
      }))}
      columns={[say('table.option'), say('board.points'), '']}
    />
  );
}

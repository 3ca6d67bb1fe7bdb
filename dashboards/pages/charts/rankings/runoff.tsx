import type { OpenResult } from '../../../../core/voting/result/result.ts';
import { winnersIn } from '../../../../core/voting/result/undecided.ts';
import { formatNumber, say } from '../../words/language.ts';
import { Bars } from '../bars.tsx';
import { labelIn } from '../drawing.ts';

interface RunoffProps {
  readonly result: OpenResult<'score'>;
  readonly runoff: NonNullable<OpenResult<'score'>['runoff']>;
}

/** The automatic runoff of STAR voting. */
export function RunoffBars({ result, runoff }: RunoffProps) {
  const { winners = [], final } = result;
  const won = winnersIn(result);
  const all = runoff.reduce((sum, { preferredBy }) => sum + Number(preferredBy), 0);
  return (
    <>
      <p class="what">{say('runoff.about')}</p>
      <Bars
        caption={say('view.runoff')}
        bars={runoff.map(({ key, preferredBy }) => ({
          key,
          label: labelIn(result, key),
          part: all === 0 ? 0 : Number(preferredBy) / all,
          figures: [formatNumber(Number(preferredBy), 6)],
          mark: won.includes(key) && final ? 'won' : winners.includes(key) ? 'lead' : undefined,
        }))}
        columns={[say('table.option'), say('table.count'), '']}
      />
    </>
  );
}

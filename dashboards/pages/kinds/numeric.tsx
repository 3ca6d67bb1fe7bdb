import type { OpenResult } from '../../../core/voting/result/result.ts';
import type { KindForm } from '../ballot/form.ts';
import { NumberInput } from '../ballot/number.tsx';
import { Distribution } from '../charts/distribution.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { Facts } from '../charts/facts.tsx';
import { formatNumber, formatShare, say, sayCount } from '../words/language.ts';

export const numericForm: KindForm<'numeric'> = {
  Form({ question, ...state }) {
    const { min, max, decimals = 0, unit } = question;
    return <NumberInput {...state} min={min} max={max} decimals={decimals} unit={unit} />;
  },

  choiceText: (choice, { unit }) => (unit ? `${choice} ${unit}` : choice),
};

/** The number of correct guesses, and the closest guesses; empty until the result is final. */
function solutionText({ correct, nearest }: OpenResult<'numeric'>): string {
  const right = correct ? [sayCount('right', correct.count, { share: formatShare(correct.share) })] : [];
  const numbers = nearest?.numbers ?? [];
  const best = numbers.length > 0 ? [say('estimate.nearest', { numbers: numbers.join(', ') })] : [];
  return [...right, ...best].join(' · ');
}

export const numericChart: KindChart<'numeric'> = {
  drawings(result, { unit }) {
    const { options, n, mean, median, standardDeviation, trimmedMean, quantiles, answer } = result;
    const draw = () => (
      <>
        <Distribution caption={say('table.caption')} lines={options} />
        <Facts
          facts={[
            [say('fact.mean'), mean],
            [say('fact.median'), median],
            [say('fact.deviation'), standardDeviation],
            [say('fact.trimmedMean'), trimmedMean],
            [say('fact.p5'), quantiles.p5],
            [say('fact.p95'), quantiles.p95],
            [say('fact.n'), n, 0],
          ]}
        />
        {answer !== undefined && (
          <p class="outcome">
            {say('estimate.answer', { answer: `${formatNumber(answer, 6)}${unit ? ` ${unit}` : ''}` })}{' '}
            <small>{solutionText(result)}</small>
          </p>
        )}
        {unit && <p class="what">{say('note.unit', { unit })}</p>}
      </>
    );
    return [{ view: 'distribution', draw }];
  },

  hiddenView: 'distribution',
};

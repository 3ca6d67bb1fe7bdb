import { pairsText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { Spread } from '../ballot/spread.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { barsDrawing } from '../charts/option-bars.tsx';
import { formatNumber, formatShare, say } from '../words/language.ts';

export const pointsForm: KindForm<'points'> = {
  Form({ question, ...state }) {
    const { options, budget = 10, max = budget, spend } = question;
    return <Spread {...state} options={options} budget={budget} max={max} mustSpendAll={spend === 'all'} />;
  },
  choiceText: (choice, { options }) => pairsText(choice, options),
};

export const pointsChart: KindChart<'points'> = {
  drawings: (result) => [
    barsDrawing(result, {
      notes: [say('note.points')],
      figures: ({ count, share }) => [formatNumber(count ?? 0), formatShare(share ?? 0)],
    }),
  ],
};

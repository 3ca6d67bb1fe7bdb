import { orderText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { OptionOrder } from '../ballot/option-order.tsx';
import type { Drawing, KindChart } from '../charts/drawing.ts';
import { barsDrawing } from '../charts/option-bars.tsx';
import { BordaPoints } from '../charts/rankings/borda-points.tsx';
import { Matrix } from '../charts/rankings/matrix.tsx';
import { CountSteps, runoffSteps, Seats, transferSteps } from '../charts/rankings/rounds.tsx';
import { say } from '../words/language.ts';

export const rankingForm: KindForm<'ranking'> = {
  Form({ question, ...state }) {
    const { options, min = 1, max = options.length } = question;
    return <OptionOrder {...state} legend={say('ballot.rank', { min, max })} options={options} min={min} max={max} />;
  },

  choiceText: (choice, { options }) => orderText(choice, options),
};

export const rankingChart: KindChart<'ranking'> = {
  drawings: (result) => [
    ...methodDrawings(result),
    barsDrawing(result, { notes: [say('note.firstPreferences')], hasLeader: false }),
  ],
};

function methodDrawings(result: Parameters<typeof rankingChart.drawings>[0]): Drawing[] {
  switch (result.method) {
    case 'irv': {
      const draw = (step: number) => <CountSteps steps={runoffSteps(result)} step={step} />;
      return [{ view: 'rounds', steps: result.rounds.length, draw }];
    }
    case 'stv': {
      const draw = (step: number) => (
        <>
          <Seats result={result} />
          <CountSteps steps={transferSteps(result)} step={step} />
        </>
      );
      return [{ view: 'seats', steps: result.stages.length, draw }];
    }
    case 'borda':
      return [{ view: 'points', draw: () => <BordaPoints result={result} /> }];
    case 'condorcet':
      return [{ view: 'matrix', draw: () => <Matrix result={result} /> }];
  }
}

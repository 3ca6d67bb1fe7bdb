import { labelsText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { SomeOptions } from '../ballot/some-options.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { barsDrawing } from '../charts/option-bars.tsx';
import { say, sayCount } from '../words/language.ts';

export const multipleForm: KindForm<'multiple'> = {
  Form({ question, ...state }) {
    const { options, min = 1, max = options.length, none } = question;
    return <SomeOptions {...state} options={options} min={min} max={max} hasNone={none} />;
  },
  choiceText: (choice, { options }) => labelsText(choice, options),
};

export const multipleChart: KindChart<'multiple'> = {
  drawings(result) {
    const { selections, shareOf } = result;
    const base = say(shareOf === 'selections' ? 'note.ofSelections' : 'note.ofVoters');
    return [barsDrawing(result, { notes: [sayCount('selections', selections), base] })];
  },
};

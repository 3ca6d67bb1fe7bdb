import { labelsText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { OneOption } from '../ballot/one-option.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { barsDrawing } from '../charts/option-bars.tsx';
import { say } from '../words/language.ts';

export const motionForm: KindForm<'motion'> = {
  Form: ({ question, ...state }) => <OneOption {...state} legend={say('ballot.choose')} options={question.options} />,
  choiceText: (choice, { options }) => labelsText(choice, options),
};

export const motionChart: KindChart<'motion'> = {
  drawings: (result) => [barsDrawing(result)],
};

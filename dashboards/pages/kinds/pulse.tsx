import { labelsText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { OneOption } from '../ballot/one-option.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { barsDrawing } from '../charts/option-bars.tsx';
import { formatNumber, say } from '../words/language.ts';

export const pulseForm: KindForm<'pulse'> = {
  Form: ({ question, ...state }) => <OneOption {...state} legend={say('ballot.press')} options={question.options} />,
  choiceText: (choice, { options }) => labelsText(choice, options),
  isRepeated: true,
};

export const pulseChart: KindChart<'pulse'> = {
  drawings(result) {
    const { windowMs } = result;
    const note = windowMs ? [say('note.pulse', { seconds: formatNumber(windowMs / 1000) })] : [];
    return [barsDrawing(result, { notes: note })];
  },
};

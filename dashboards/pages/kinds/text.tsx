import { phrasesText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { Phrases } from '../ballot/phrases.tsx';
import { Cloud } from '../charts/cloud.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { say } from '../words/language.ts';

export const textForm: KindForm<'text'> = {
  Form({ question, ...state }) {
    const { maxPhrases = 3, maxLength = 40 } = question;
    return <Phrases {...state} most={maxPhrases} length={maxLength} isAnswer={false} />;
  },
  choiceText: phrasesText,
};

export const textChart: KindChart<'text'> = {
  drawings: ({ options }) => [{ view: 'cloud', draw: () => <Cloud caption={say('table.caption')} lines={options} /> }],
  hiddenView: 'cloud',
};

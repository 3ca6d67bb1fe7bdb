import { MAX_ANSWER_LENGTH } from '../../../core/voting/kinds/choices/phrase.ts';
import { labelsText, orderText, phrasesText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { OneOption } from '../ballot/one-option.tsx';
import { OptionOrder } from '../ballot/option-order.tsx';
import { Phrases } from '../ballot/phrases.tsx';
import { SomeOptions } from '../ballot/some-options.tsx';
import { Cloud } from '../charts/cloud.tsx';
import type { KindChart } from '../charts/drawing.ts';
import { barsDrawing } from '../charts/option-bars.tsx';
import { formatShare, say, sayCount } from '../words/language.ts';

export const quizForm: KindForm<'quiz'> = {
  Form({ question: { question, options }, ...state }) {
    switch (question) {
      case 'multiple':
        return <SomeOptions {...state} options={options} min={1} max={options.length} />;
      case 'ordering': {
        const all = options.length;
        return <OptionOrder {...state} legend={say('ballot.order')} options={options} min={all} max={all} />;
      }
      case 'short':
        return <Phrases {...state} most={1} length={MAX_ANSWER_LENGTH} isAnswer={true} />;
      default:
        return <OneOption {...state} legend={say('ballot.choose')} options={options} />;
    }
  },

  choiceText(choice, { question, options }) {
    if (question === 'short') return phrasesText(choice);
    return question === 'ordering' ? orderText(choice, options) : labelsText(choice, options);
  },
};

export const quizChart: KindChart<'quiz'> = {
  drawings(result) {
    const { options, question, correct } = result;
    if (question === 'short') {
      return [{ view: 'cloud', draw: () => <Cloud caption={say('table.caption')} lines={options} /> }];
    }
    const notes = [
      ...(question === 'ordering' ? [say('note.firstPreferences')] : []),
      ...(correct ? [sayCount('right', correct.count, { share: formatShare(correct.share) })] : []),
    ];
    const isSolved = options.some((line) => line.correct !== undefined);
    return [
      barsDrawing(result, { notes, ...(isSolved ? { mark: (line) => (line.correct ? 'right' : 'wrong') } : {}) }),
    ];
  },

  hasLeaderboard: true,
};

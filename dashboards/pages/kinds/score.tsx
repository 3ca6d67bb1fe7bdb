import { pairsText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { Grades } from '../ballot/grades.tsx';
import type { Drawing, KindChart } from '../charts/drawing.ts';
import { barsDrawing, countText } from '../charts/option-bars.tsx';
import { RunoffBars } from '../charts/rankings/runoff.tsx';
import { formatNumber, formatShare, say } from '../words/language.ts';

export const scoreForm: KindForm<'score'> = {
  Form({ question, ...state }) {
    const { options, min = 0, max = 5 } = question;
    return <Grades {...state} things={options} min={min} max={max} />;
  },

  choiceText: (choice, { options }) => pairsText(choice, options),
};

export const scoreChart: KindChart<'score'> = {
  drawings(result) {
    const bars = barsDrawing(result, {
      notes: [say('note.score')],
      figures: (line) => [
        line.mean === null ? formatShare(line.share ?? 0) : `⌀ ${formatNumber(line.mean, 2)}`,
        countText(line),
      ],
    });
    const { runoff } = result;
    if (!runoff) return [bars];
    const drawing: Drawing = { view: 'runoff', draw: () => <RunoffBars result={result} runoff={runoff} /> };
    // Once the result is final, the runoff comes first, because it decides. Until then, the scores come first.
    return result.final ? [drawing, bars] : [bars, drawing];
  },
};

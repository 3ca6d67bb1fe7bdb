import { labelsText, pairsText } from '../ballot/choice-text.ts';
import type { KindForm } from '../ballot/form.ts';
import { Grades } from '../ballot/grades.tsx';
import { OneOption } from '../ballot/one-option.tsx';
import { Distribution } from '../charts/distribution.tsx';
import type { Drawing, KindChart } from '../charts/drawing.ts';
import { Facts } from '../charts/facts.tsx';
import { Items } from '../charts/items.tsx';
import { say } from '../words/language.ts';

/** The maximum number of grades placed side by side; longer scales are placed one below the other. */
const MAX_IN_ROW = 11;

export const ratingForm: KindForm<'rating'> = {
  Form({ question, ...state }) {
    const { options, items, min = 1, max = 5 } = question;
    if (items) return <Grades {...state} things={items} min={min} max={max} />;
    const isCompact = options.length <= MAX_IN_ROW;
    return <OneOption {...state} legend={say('ballot.grade', { min, max })} options={options} isCompact={isCompact} />;
  },

  choiceText: (choice, { options, items }) => (items ? pairsText(choice, items) : labelsText(choice, options)),
};

export const ratingChart: KindChart<'rating'> = {
  drawings(result, { min = 1, max = 5 }) {
    const caption = say('table.caption');
    const distribution: Drawing = {
      view: 'distribution',
      draw: () => (
        <>
          <Distribution caption={caption} lines={result.options} />
          {!result.items && (
            <Facts
              facts={[
                [say('fact.mean'), result.mean],
                [say('fact.median'), result.median],
                [say('fact.deviation'), result.standardDeviation],
                [say('fact.topBox'), result.topBox * 100, 1],
                [say('fact.promoters'), result.netPromoterScore, 1],
                [say('fact.n'), result.n, 0],
              ]}
            />
          )}
        </>
      ),
    };
    const { items } = result;
    if (!items) return [distribution];
    return [{ view: 'items', draw: () => <Items caption={caption} items={items} min={min} max={max} /> }, distribution];
  },

  hiddenView: 'distribution',
};

import { useEffect, useState } from 'preact/hooks';
import type { Option } from '../../../core/voting/rules/option.ts';
import { formatNumber, say } from '../words/language.ts';
import { numbersIn } from './choice-text.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

interface SpreadProps extends FormState {
  readonly options: readonly Option[];
  readonly budget: number;
  /** The most points for one option. */
  readonly max: number;
  /** Whether the whole budget must be spent. */
  readonly mustSpendAll: boolean;
}

/** A budget of points, distributed among the options. */
export function Spread({ options, budget, max, mustSpendAll, cast, isDisabled, onCast }: SpreadProps) {
  const [given, setGiven] = useState(numbersIn(cast));
  useEffect(() => setGiven(numbersIn(cast)), [cast]);
  const spent = Object.values(given).reduce((sum, points) => sum + points, 0);
  const left = budget - spent;
  const step = Math.max(1, Math.round(budget / 20));
  const give = (key: string, points: number) => {
    const most = Math.min(max, (given[key] ?? 0) + left);
    setGiven({ ...given, [key]: Math.max(0, Math.min(most, Math.floor(points) || 0)) });
  };
  const choice = options.flatMap(({ key }) => (given[key] ? [`${key}:${given[key]}`] : [])).join(',');
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>
        {say(mustSpendAll ? 'ballot.spreadAll' : 'ballot.spread', {
          n: formatNumber(budget),
          left: formatNumber(left),
        })}
      </legend>
      {options.map(({ key, label }) => {
        const points = given[key] ?? 0;
        return (
          <div key={key} class="stepper">
            <span dir="auto" id={`label-${key}`}>
              {label}
            </span>
            <button
              type="button"
              disabled={points === 0}
              aria-label={say('ballot.less', { name: label })}
              onClick={() => give(key, points - step)}
            >
              −
            </button>
            <input
              type="number"
              inputMode="numeric"
              min={0}
              max={Math.min(max, points + left)}
              value={points}
              aria-labelledby={`label-${key}`}
              onInput={({ currentTarget: { value } }) => give(key, Number(value))}
            />
            <button
              type="button"
              disabled={left === 0 || points >= max}
              aria-label={say('ballot.more', { name: label })}
              onClick={() => give(key, points + step)}
            >
              +
            </button>
          </div>
        );
      })}
      <p class="hint" aria-live="polite">
        {say('ballot.chosen', { n: formatNumber(spent), max: formatNumber(budget) })}
      </p>
      <Send
        isReady={spent > 0 && (!mustSpendAll || left === 0)}
        isAgain={cast !== undefined}
        onSend={() => onCast(choice)}
      />
    </fieldset>
  );
}

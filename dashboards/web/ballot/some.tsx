import { useEffect, useState } from 'preact/hooks';
import { say, sayCount } from '../words/language.ts';
import type { FormProps } from './form.ts';
import { Send } from './send.tsx';

const NONE = 'none';

/** Several options at once. */
export function Some({ question, cast, isDisabled, onCast }: FormProps) {
  const { options, kind } = question;
  const [min, max] = kind === 'quiz' ? [1, options.length] : [question.min ?? 1, question.max ?? options.length];
  const [chosen, choose] = useState<readonly string[]>(read(cast));
  useEffect(() => choose(read(cast)), [cast]);
  const tap = (key: string) => {
    if (chosen.includes(key)) choose(chosen.filter((one) => one !== key));
    // Whoever chooses none of them chooses nothing else.
    else if (question.none && key === NONE) choose([NONE]);
    else choose([...chosen.filter((one) => !question.none || one !== NONE), key]);
  };
  const isNone = question.none === true && chosen[0] === NONE;
  const isReady = isNone || (chosen.length >= min && chosen.length <= max);
  const inOrder = options.map(({ key }) => key).filter((key) => chosen.includes(key));
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>{sayCount('ballot.chooseSome', max, { min })}</legend>
      <div class="options">
        {options.map(({ key, label }) => {
          const isChosen = chosen.includes(key);
          const isFull = !isChosen && chosen.length >= max && !(question.none && key === NONE);
          return (
            <button
              key={key}
              type="button"
              class="option"
              aria-pressed={isChosen}
              disabled={isFull}
              onClick={() => tap(key)}
            >
              <span class="tick" aria-hidden="true">
                {isChosen ? '☑' : '☐'}
              </span>
              <span dir="auto">{label}</span>
            </button>
          );
        })}
      </div>
      <p class="hint" aria-live="polite">
        {say('ballot.chosen', { n: chosen.length, max })}
      </p>
      <Send isReady={isReady} isAgain={cast !== undefined} onSend={() => onCast(inOrder.join(','))} />
    </fieldset>
  );
}

const read = (cast: string | undefined): string[] => (cast ? cast.split(',') : []);

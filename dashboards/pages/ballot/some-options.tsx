import { useEffect, useState } from 'preact/hooks';
import { NONE } from '../../../core/voting/kinds/choices/keys.ts';
import type { Option } from '../../../core/voting/rules/option.ts';
import { say, sayCount } from '../words/language.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

interface SomeOptionsProps extends FormState {
  readonly options: readonly Option[];
  readonly min: number;
  readonly max: number;
  /** Whether “none of the above” is offered. */
  readonly hasNone?: boolean | undefined;
}

/** Several of the options. */
export function SomeOptions({ options, min, max, hasNone, cast, isDisabled, onCast }: SomeOptionsProps) {
  const [chosen, choose] = useState<readonly string[]>(read(cast));
  useEffect(() => choose(read(cast)), [cast]);
  const tap = (key: string) => {
    if (chosen.includes(key)) choose(chosen.filter((one) => one !== key));
    // “None of the above” excludes all others.
    else if (hasNone && key === NONE) choose([NONE]);
    else choose([...chosen.filter((one) => !hasNone || one !== NONE), key]);
  };
  const isNone = hasNone === true && chosen[0] === NONE;
  const isReady = isNone || (chosen.length >= min && chosen.length <= max);
  const inOrder = options.map(({ key }) => key).filter((key) => chosen.includes(key));
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>{sayCount('ballot.chooseSome', max, { min })}</legend>
      <div class="options">
        {options.map(({ key, label }) => {
          const isChosen = chosen.includes(key);
          const isFull = !isChosen && chosen.length >= max && !(hasNone && key === NONE);
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

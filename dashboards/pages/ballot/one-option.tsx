import { useEffect, useState } from 'preact/hooks';
import type { Option } from '../../../core/voting/rules/option.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

interface OneOptionProps extends FormState {
  readonly legend: string;
  readonly options: readonly Option[];
  /** Whether the options are placed side by side, because they are short, such as grades. */
  readonly isCompact?: boolean;
}

/** One of several options, with a button for each. */
export function OneOption({ legend, options, isCompact, cast, isInstant, isDisabled, onCast }: OneOptionProps) {
  const [chosen, choose] = useState(cast);
  useEffect(() => choose(cast), [cast]);
  const tap = (key: string) => {
    choose(key);
    if (isInstant) onCast(key);
  };
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>{legend}</legend>
      <div class={isCompact ? 'grades' : 'options'}>
        {options.map(({ key, label }) => (
          <button key={key} type="button" class="option" aria-pressed={chosen === key} onClick={() => tap(key)}>
            <span class="tick" aria-hidden="true">
              {chosen === key ? '●' : '○'}
            </span>
            <span dir="auto">{label}</span>
          </button>
        ))}
      </div>
      {!isInstant && (
        <Send isReady={chosen !== undefined} isAgain={cast !== undefined} onSend={() => chosen && onCast(chosen)} />
      )}
    </fieldset>
  );
}

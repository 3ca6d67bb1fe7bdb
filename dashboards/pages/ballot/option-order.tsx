import { useEffect, useState } from 'preact/hooks';
import type { Option } from '../../../core/voting/rules/option.ts';
import { say } from '../words/language.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

interface OptionOrderProps extends FormState {
  readonly legend: string;
  readonly options: readonly Option[];
  readonly min: number;
  readonly max: number;
}

/** A ranking of options: a tap gives an option the next place, a second tap removes it. */
export function OptionOrder({ legend, options, min, max, cast, isDisabled, onCast }: OptionOrderProps) {
  const [ranked, rank] = useState<readonly string[]>(read(cast));
  useEffect(() => rank(read(cast)), [cast]);
  const tap = (key: string) => rank(ranked.includes(key) ? ranked.filter((one) => one !== key) : [...ranked, key]);
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>{legend}</legend>
      <div class="options">
        {options.map(({ key, label }) => {
          const place = ranked.indexOf(key) + 1;
          return (
            <button
              key={key}
              type="button"
              class="option"
              aria-pressed={place > 0}
              disabled={place === 0 && ranked.length >= max}
              onClick={() => tap(key)}
            >
              <span class="place" aria-hidden="true">
                {place > 0 ? place : '·'}
              </span>
              <span dir="auto">{label}</span>
              <span class="unseen">{place > 0 ? say('ballot.rankOf', { place }) : say('ballot.unranked')}</span>
            </button>
          );
        })}
      </div>
      {ranked.length > 0 && (
        <button type="button" class="quiet" onClick={() => rank([])}>
          {say('ballot.clear')}
        </button>
      )}
      <Send isReady={ranked.length >= min} isAgain={cast !== undefined} onSend={() => onCast(ranked.join('>'))} />
    </fieldset>
  );
}

const read = (cast: string | undefined): string[] => (cast ? cast.split('>') : []);

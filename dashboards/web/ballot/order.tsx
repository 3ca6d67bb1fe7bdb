import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';
import type { FormProps } from './form.ts';
import { Send } from './send.tsx';

/** Options in an order: each tap ranks the next one, a second tap takes it out again. */
export function Order({ question, cast, isDisabled, onCast }: FormProps) {
  const { options, kind } = question;
  const isQuiz = kind === 'quiz';
  const [min, max] = isQuiz ? [options.length, options.length] : [question.min ?? 1, question.max ?? options.length];
  const [ranked, rank] = useState<readonly string[]>(read(cast));
  useEffect(() => rank(read(cast)), [cast]);
  const tap = (key: string) => rank(ranked.includes(key) ? ranked.filter((one) => one !== key) : [...ranked, key]);
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>{isQuiz ? say('ballot.order') : say('ballot.rank', { min, max })}</legend>
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

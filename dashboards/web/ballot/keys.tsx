import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';
import type { FormProps } from './form.ts';
import { Send } from './send.tsx';

/** One option of several: a tap each. */
export function Keys({ question, cast, isInstant, isDisabled, onCast }: FormProps) {
  const [chosen, choose] = useState(cast);
  useEffect(() => choose(cast), [cast]);
  const isGrades = question.kind === 'rating';
  const tap = (key: string) => {
    choose(key);
    if (isInstant) onCast(key);
  };
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>
        {question.kind === 'pulse'
          ? say('ballot.press')
          : isGrades
            ? say('ballot.grade', { min: question.min ?? 1, max: question.max ?? 5 })
            : say('ballot.choose')}
      </legend>
      <div class={isGrades && question.options.length <= 11 ? 'grades' : 'options'}>
        {question.options.map(({ key, label }) => (
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

import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';
import type { FormProps } from './form.ts';
import { Send } from './send.tsx';

/** Up to so many grades there is a button for each; of more, a list. */
const MAX_BUTTONS = 11;

/** A grade for each of several things. */
export function Grades({ question, cast, isDisabled, onCast }: FormProps) {
  const things = question.kind === 'rating' ? (question.items ?? []) : question.options;
  const [min, max] = [question.min ?? (question.kind === 'rating' ? 1 : 0), question.max ?? 5];
  const [grades, setGrades] = useState(read(cast));
  useEffect(() => setGrades(read(cast)), [cast]);
  const all = Array.from({ length: max - min + 1 }, (_, i) => min + i);
  const give = (key: string, grade: number | undefined) => {
    const { [key]: _, ...others } = grades;
    setGrades(grade === undefined || grade === grades[key] ? others : { ...others, [key]: grade });
  };
  const choice = things.flatMap(({ key }) => (grades[key] === undefined ? [] : [`${key}:${grades[key]}`])).join(',');
  return (
    <fieldset class="form" disabled={isDisabled}>
      <legend>{say('ballot.gradeEach', { min, max })}</legend>
      {things.map(({ key, label }) => (
        <fieldset key={key} class="thing">
          <legend dir="auto">{label}</legend>
          {all.length <= MAX_BUTTONS ? (
            <div class="grades">
              {all.map((grade) => (
                <button
                  key={grade}
                  type="button"
                  class="option"
                  aria-pressed={grades[key] === grade}
                  onClick={() => give(key, grade)}
                >
                  {grade}
                </button>
              ))}
            </div>
          ) : (
            <select
              aria-label={label}
              value={grades[key] ?? ''}
              onChange={({ currentTarget: { value } }) => give(key, value === '' ? undefined : Number(value))}
            >
              <option value="">{say('ballot.skip')}</option>
              {all.map((grade) => (
                <option key={grade} value={grade}>
                  {grade}
                </option>
              ))}
            </select>
          )}
        </fieldset>
      ))}
      <Send isReady={choice !== ''} isAgain={cast !== undefined} onSend={() => onCast(choice)} />
    </fieldset>
  );
}

function read(cast: string | undefined): Readonly<Record<string, number>> {
  const pairs = (cast ?? '').split(',').map((part) => part.split(':'));
  return Object.fromEntries(
    pairs.filter(([, grade]) => grade !== undefined).map(([key, grade]) => [key, Number(grade)]),
  );
}

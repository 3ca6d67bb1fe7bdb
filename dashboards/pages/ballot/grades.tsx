import { useEffect, useState } from 'preact/hooks';
import type { Option } from '../../../core/voting/rules/option.ts';
import { say } from '../words/language.ts';
import { numbersIn } from './choice-text.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

/** The maximum number of grades that have a button each; longer scales are offered as a drop-down list. */
const MAX_BUTTONS = 11;
/** The maximum number of grades drawn, because a half-typed scale in the editor’s preview may be far too long. */
const MAX_GRADES = 102;

interface GradesProps extends FormState {
  readonly things: readonly Option[];
  readonly min: number;
  readonly max: number;
}

/** A grade for each of several options or items. */
export function Grades({ things, min, max, cast, isDisabled, onCast }: GradesProps) {
  const [grades, setGrades] = useState(numbersIn(cast));
  useEffect(() => setGrades(numbersIn(cast)), [cast]);
  const all = Array.from({ length: Math.max(0, Math.min(MAX_GRADES, max - min + 1)) }, (_, i) => min + i);
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

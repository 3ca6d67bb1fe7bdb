import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

/** The maximum number of fields drawn, because a half-typed number in the editor’s preview may be far too high. */
const MAX_FIELDS = 10;

interface PhrasesProps extends FormState {
  /** The maximum number of phrases per vote. */
  readonly most: number;
  /** The maximum number of characters per phrase. */
  readonly length: number;
  /** Whether this is a single answer, which may contain commas. */
  readonly isAnswer: boolean;
}

/** A few phrases, or the answer to a question. */
export function Phrases({ most, length, isAnswer, cast, isDisabled, onCast }: PhrasesProps) {
  const count = Math.min(most, MAX_FIELDS);
  const [phrases, setPhrases] = useState(read(cast, count, isAnswer));
  useEffect(() => setPhrases(read(cast, count, isAnswer)), [cast, count]);
  // Commas separate phrases, so a phrase cannot contain any.
  const filled = phrases
    .map((phrase) => (isAnswer ? phrase : phrase.replaceAll(',', ' ')).trim())
    .filter((phrase) => phrase !== '');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (filled.length > 0) onCast(filled.join(','));
      }}
    >
      <fieldset class="form" disabled={isDisabled}>
        <legend>{isAnswer ? say('ballot.answer') : say('ballot.words', { n: count, length })}</legend>
        {phrases.map((phrase, i) => (
          <input
            key={i}
            value={phrase}
            maxLength={length}
            autocomplete="off"
            dir="auto"
            aria-label={isAnswer ? say('ballot.answer') : say('ballot.phrase', { n: i + 1 })}
            onInput={({ currentTarget: { value } }) => setPhrases(phrases.map((one, at) => (at === i ? value : one)))}
          />
        ))}
        <Send isReady={filled.length > 0} isAgain={cast !== undefined} />
      </fieldset>
    </form>
  );
}

function read(cast: string | undefined, count: number, isAnswer: boolean): string[] {
  const parts = cast === undefined ? [] : isAnswer ? [cast] : cast.split(',');
  return Array.from({ length: Math.max(0, count) }, (_, i) => parts[i] ?? '');
}

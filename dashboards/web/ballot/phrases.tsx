import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';
import type { FormProps } from './form.ts';
import { Send } from './send.tsx';

/** The longest answer to a quiz question, characters. */
const MAX_ANSWER_LENGTH = 100;

/** Phrases of a few words; or the answer to a question. */
export function Phrases({ question, cast, isDisabled, onCast }: FormProps) {
  const isAnswer = question.kind === 'quiz';
  const { maxPhrases = 3, maxLength = 40 } = question;
  const [count, length] = isAnswer ? [1, MAX_ANSWER_LENGTH] : [maxPhrases, maxLength];
  const [phrases, setPhrases] = useState(read(cast, count, isAnswer));
  useEffect(() => setPhrases(read(cast, count, isAnswer)), [cast, count]);
  // Commas stand between phrases.
  const said = phrases
    .map((phrase) => (isAnswer ? phrase : phrase.replaceAll(',', ' ')).trim())
    .filter((phrase) => phrase !== '');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (said.length > 0) onCast(said.join(','));
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
        <Send isReady={said.length > 0} isAgain={cast !== undefined} onSend={() => onCast(said.join(','))} />
      </fieldset>
    </form>
  );
}

function read(cast: string | undefined, count: number, isAnswer: boolean): string[] {
  const said = cast === undefined ? [] : isAnswer ? [cast] : cast.split(',');
  return Array.from({ length: count }, (_, i) => said[i] ?? '');
}

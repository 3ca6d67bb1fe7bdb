import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';
import type { FormState } from './form.ts';
import { Send } from './send.tsx';

interface NumberInputProps extends FormState {
  /** Undefined in the editor’s preview until it is entered. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly decimals: number;
  readonly unit?: string | undefined;
}

/** A number that the voter types. */
export function NumberInput({
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
  decimals,
  unit,
  cast,
  isDisabled,
  onCast,
}: NumberInputProps) {
  const [text, setText] = useState(cast ?? '');
  useEffect(() => setText(cast ?? ''), [cast]);
  // Many languages use a decimal comma.
  const plain = text.trim().replace(',', '.').replace('−', '-');
  const [, fraction = ''] = plain.split('.');
  const isNumber =
    /^[+-]?\d+(\.\d*)?$/.test(plain) && Number(plain) >= min && Number(plain) <= max && fraction.length <= decimals;
  const range = { min: bound(min), max: bound(max) };
  const isWrong = plain !== '' && plain !== '-' && !isNumber;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isNumber) onCast(String(Number(plain)));
      }}
    >
      <fieldset class="form" disabled={isDisabled}>
        <legend>{say('ballot.number', range)}</legend>
        <p class="number">
          <input
            inputMode="decimal"
            autocomplete="off"
            value={text}
            aria-label={say('ballot.number', range)}
            aria-invalid={isWrong}
            aria-describedby="number-problem"
            onInput={({ currentTarget: { value } }) => setText(value)}
          />
          {unit && <span dir="auto">{unit}</span>}
        </p>
        <p class="problem" id="number-problem" role="status">
          {isWrong ? say(decimals === 0 ? 'ballot.wholeWrong' : 'ballot.numberWrong', { ...range, decimals }) : ''}
        </p>
        <Send isReady={isNumber} isAgain={cast !== undefined} />
      </fieldset>
    </form>
  );
}

const bound = (limit: number): number | string => (Number.isFinite(limit) ? limit : '…');

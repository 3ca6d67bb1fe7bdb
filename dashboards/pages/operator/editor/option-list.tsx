import { MAX_LABEL_LENGTH, MAX_OPTIONS, type Option } from '../../../../core/voting/rules/option.ts';
import { tell } from '../words.ts';
import { nextKey } from './draft.ts';

/** The options of a poll, each with the key that devices send. */
export function OptionList({
  name,
  options,
  onChange,
}: {
  name: string;
  options: readonly Option[];
  onChange: (options: readonly Option[]) => void;
}) {
  const set = (at: number, what: Partial<Option>) =>
    onChange(options.map((option, i) => (i === at ? { ...option, ...what } : option)));
  const move = (at: number, by: number) => {
    const moved = [...options];
    const [one] = moved.splice(at, 1);
    if (one) moved.splice(at + by, 0, one);
    onChange(moved);
  };
  return (
    <fieldset class="option-list">
      <legend>{name}</legend>
      {options.map(({ key, label }, i) => {
        const number = { n: i + 1 };
        return (
          <div key={i} class="option-line">
            <input
              class="key-field"
              value={key}
              aria-label={tell('option.key', number)}
              onInput={({ currentTarget: { value } }) => set(i, { key: value.trim() })}
            />
            <input
              value={label}
              dir="auto"
              maxLength={MAX_LABEL_LENGTH}
              aria-label={tell('option.label', number)}
              onInput={({ currentTarget: { value } }) => set(i, { label: value })}
            />
            <button
              type="button"
              class="quiet"
              disabled={i === 0}
              aria-label={tell('option.up', number)}
              onClick={() => move(i, -1)}
            >
              ↑
            </button>
            <button
              type="button"
              class="quiet"
              aria-label={tell('option.remove', number)}
              onClick={() => onChange(options.filter((_, at) => at !== i))}
            >
              ✕
            </button>
          </div>
        );
      })}
      <button
        type="button"
        class="quiet"
        disabled={options.length >= MAX_OPTIONS}
        onClick={() => onChange([...options, { key: nextKey(options), label: '' }])}
      >
        {tell('option.add')}
      </button>
    </fieldset>
  );
}

import { MAX_LABEL_LENGTH, MAX_OPTIONS, type Option } from '../../../../core/voting/rules/option.ts';
import { tell } from '../words.ts';
import { nextKey } from './draft.ts';
import { FieldProblem } from './problems.tsx';

interface OptionListProps {
  /** What is listed: the options of a poll, or the items of a rating. */
  readonly of: 'option' | 'item';
  readonly options: readonly Option[];
  readonly onChange: (options: readonly Option[]) => void;
}

/** The options of a poll or the items of a rating, each with the key that devices send. */
export function OptionList({ of, options, onChange }: OptionListProps) {
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
      <legend>{tell(`${of}.list`)}</legend>
      {options.map(({ key, label }, i) => {
        const number = { n: i + 1 };
        return (
          <div key={i} class="option-line">
            <input
              class="key-field"
              name={`${of}s[${i}].key`}
              value={key}
              aria-label={tell(`${of}.key`, number)}
              onInput={({ currentTarget: { value } }) => set(i, { key: value.trim() })}
            />
            <input
              name={`${of}s[${i}].label`}
              value={label}
              dir="auto"
              maxLength={MAX_LABEL_LENGTH}
              aria-label={tell(`${of}.label`, number)}
              onInput={({ currentTarget: { value } }) => set(i, { label: value })}
            />
            <button
              type="button"
              class="quiet"
              disabled={i === 0}
              aria-label={tell(`${of}.up`, number)}
              onClick={() => move(i, -1)}
            >
              ↑
            </button>
            <button
              type="button"
              class="quiet"
              aria-label={tell(`${of}.remove`, number)}
              onClick={() => onChange(options.filter((_, at) => at !== i))}
            >
              ✕
            </button>
            <FieldProblem name={`${of}s[${i}].key`} />
            <FieldProblem name={`${of}s[${i}].label`} />
          </div>
        );
      })}
      <button
        type="button"
        class="quiet"
        disabled={options.length >= MAX_OPTIONS}
        onClick={() => onChange([...options, { key: nextKey(options), label: '' }])}
      >
        {tell(`${of}.add`)}
      </button>
      <FieldProblem name={`${of}s`} />
    </fieldset>
  );
}

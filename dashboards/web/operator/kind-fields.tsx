import { kinds } from '../../../core/voting/kinds/index.ts';
import type { KindSettings } from '../../../core/voting/poll.ts';
import { type DraftProps, isOfUse } from './draft.ts';
import { Choice, Flag, ListField, NumberField, TextField } from './inputs.tsx';
import { OptionList } from './option-list.tsx';
import { tell, tellIfKnown } from './words.ts';

/** How each setting of a kind is filled in. Those that are not here are not for this page. */
const KIND_FIELDS: {
  readonly [Name in keyof KindSettings]: 'number' | 'flag' | 'text' | 'keys' | 'phrases' | readonly string[];
} = {
  min: 'number',
  max: 'number',
  none: 'flag',
  abstain: 'flag',
  shareOf: ['voters', 'selections'],
  top: 'number',
  decimals: 'number',
  unit: 'text',
  bins: 'number',
  trim: 'number',
  answer: 'number',
  tolerance: 'number',
  proximity: 'number',
  budget: 'number',
  spend: ['up-to', 'all'],
  seats: 'number',
  variant: ['standard', 'modified', 'averaged', 'dowdall'],
  question: ['single', 'multiple', 'ordering', 'short'],
  correct: 'keys',
  accept: 'phrases',
  credit: ['strict', 'balanced', 'per-option'],
  points: 'number',
  speed: 'number',
  maxLength: 'number',
  maxPhrases: 'number',
  stop: 'phrases',
  windowMs: 'number',
};
const METHODS: Readonly<Record<string, readonly string[]>> = {
  ranking: ['irv', 'stv', 'borda', 'condorcet'],
  score: ['score', 'star'],
};

/** The settings that the draft's kind has of its own. */
export function KindFields({ draft, onChange }: DraftProps) {
  const { kind = 'single' } = draft;
  const names = kinds[kind].settings.filter((name) => isOfUse(name, draft));
  return (
    <div class="row">
      {names.map((name) => {
        if (name === 'items') return <Items key={name} draft={draft} onChange={onChange} />;
        const how = name === 'method' ? METHODS[kind] : KIND_FIELDS[name];
        if (how === undefined) return null;
        const label = tellIfKnown(`field.${name}`);
        const value = draft[name];
        if (how === 'flag') {
          return (
            <Flag
              key={name}
              name={name}
              label={label}
              isOn={value === undefined ? name === 'abstain' : value === true}
              onChange={(isOn) => onChange({ [name]: isOn })}
            />
          );
        }
        if (how === 'number') {
          return (
            <NumberField
              key={name}
              name={name}
              label={label}
              value={value as number | undefined}
              onChange={(number) => onChange({ [name]: number })}
            />
          );
        }
        if (how === 'text') {
          return (
            <TextField
              key={name}
              name={name}
              label={label}
              value={(value as string | undefined) ?? ''}
              onChange={(text) => onChange({ [name]: text || undefined })}
            />
          );
        }
        if (how === 'keys' || how === 'phrases') {
          const list = (value as readonly string[] | undefined) ?? [];
          const toList = (text: string) =>
            text
              .split(',')
              .map((one) => one.trim())
              .filter((one) => one !== '');
          return (
            <ListField
              key={name}
              name={name}
              label={label}
              list={list}
              onChange={(text) => onChange({ [name]: text.trim() === '' ? undefined : toList(text) })}
            />
          );
        }
        return (
          <Choice
            key={name}
            name={name}
            label={label}
            values={how}
            value={(value as string | undefined) ?? how[0] ?? ''}
            onChange={(one) => onChange({ [name]: one })}
          />
        );
      })}
    </div>
  );
}

function Items({ draft, onChange }: DraftProps) {
  const { items } = draft;
  const first = [
    { key: 'a', label: '' },
    { key: 'b', label: '' },
  ];
  return (
    <div class="whole">
      <Flag
        name="items"
        label={tell('field.items')}
        isOn={items !== undefined}
        onChange={(isOn) => onChange({ items: isOn ? first : undefined })}
      />
      {items && <OptionList name={tell('field.items')} options={items} onChange={(all) => onChange({ items: all })} />}
    </div>
  );
}

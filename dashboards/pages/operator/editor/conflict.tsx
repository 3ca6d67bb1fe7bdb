import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import type { Option } from '../../../../core/voting/rules/option.ts';
import { formatNumber, formatTime } from '../../words/language.ts';
import { tell, tellIfKnown } from '../words.ts';
import type { EditedPoll } from './draft.ts';
import { fieldLabel } from './problems.tsx';

interface ConflictProps {
  /** The poll that this editor began with, and the one that somebody else has saved since. */
  readonly before: EditedPoll;
  readonly theirs: EditedPoll;
  readonly onLoad: () => void;
  readonly onOverwrite: () => void;
}

/** Somebody else has saved the draft in the meantime: what they changed, and the choice between their version and this one. */
export function Conflict({ before, theirs, onLoad, onOverwrite }: ConflictProps) {
  return (
    <div class="notice" data-bad role="alert">
      <p>{tell('conflict')}</p>
      <ul>
        {changedFields(before, theirs).map((field) => (
          <li key={field}>
            {fieldLabel(field)}: <span dir="auto">{shown(field, theirs)}</span>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" class="quiet" onClick={onLoad}>
          {tell('conflict.load')}
        </button>
        <button type="button" class="stop" onClick={onOverwrite}>
          {tell('conflict.overwrite')}
        </button>
      </div>
    </div>
  );
}

function changedFields(before: EditedPoll, theirs: EditedPoll): (keyof Definition)[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(theirs))];
  const all = [...new Set([...old.keys(), ...now.keys()])] as (keyof Definition)[];
  return all.filter((field) => JSON.stringify(old.get(field)) !== JSON.stringify(now.get(field)));
}

/** The value of a setting, in the words of the editor. */
function shown(field: string, poll: EditedPoll): string {
  const value = (poll as Readonly<Record<string, unknown>>)[field];
  if (value === undefined || value === null) return tell('conflict.removed');
  if (field === 'options' || field === 'items') {
    return (value as readonly Option[]).map(({ key, label }) => label || key).join(' · ');
  }
  if (field === 'durationMs' || field === 'lateGraceMs') return formatNumber(Number(value) / 1_000);
  if (field === 'opensAt' || field === 'closesAt') return formatTime(String(value));
  if (field === 'kind') return tellIfKnown(`kind.${value}`);
  if (typeof value === 'object') return Array.isArray(value) ? value.map(plain).join(', ') : plain(value);
  const word = tellIfKnown(`value.${field}.${value}`);
  return typeof value === 'string' && word !== value.split('.').at(-1) ? word : String(value);
}

const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

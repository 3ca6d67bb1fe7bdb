import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type OwnName, tell, tellIfKnown } from '../words.ts';
import { FieldProblem } from './problems.tsx';

/** A date and time, entered in local time and stored in UTC. */
export function Instant({
  name,
  value,
  onChange,
}: {
  name: 'opensAt' | 'closesAt';
  value: string | undefined;
  onChange: (instant: string | undefined) => void;
}) {
  const local = value === undefined ? '' : localTime(new Date(value));
  return (
    <label>
      {tell(`field.${name}`)} <small>({Intl.DateTimeFormat().resolvedOptions().timeZone})</small>
      <input
        type="datetime-local"
        name={name}
        value={local}
        onInput={({ currentTarget: { value: typed } }) =>
          onChange(typed === '' ? undefined : new Date(typed).toISOString())
        }
      />
      <FieldProblem name={name} />
    </label>
  );
}

function localTime(instant: Date): string {
  const shifted = new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

function Labelled({ name, label, children }: { name: string; label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label>
      {label}
      {children}
      <FieldProblem name={name} />
    </label>
  );
}

/** An optional number. */
export function NumberField({
  name,
  label,
  value,
  onChange,
}: {
  name: string;
  label: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}) {
  // Keeps the text while a number is being typed, such as 0.0 on the way to 0.05.
  const [typed, type] = useState(value === undefined ? '' : String(value));
  const shown = typed !== '' && Number(typed) === value ? typed : value === undefined ? '' : String(value);
  return (
    <Labelled name={name} label={label}>
      <input
        type="number"
        step="any"
        name={name}
        value={shown}
        onInput={({ currentTarget: { value: text, valueAsNumber } }) => {
          type(text);
          onChange(Number.isFinite(valueAsNumber) ? valueAsNumber : undefined);
        }}
      />
    </Labelled>
  );
}

/** A line of text. */
export function TextField({
  name,
  label,
  value,
  onChange,
}: {
  name: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Labelled name={name} label={label}>
      <input name={name} value={value} dir="auto" onInput={({ currentTarget }) => onChange(currentTarget.value)} />
    </Labelled>
  );
}

/** Several texts separated by commas. They are parsed only when the field loses focus, so that commas can be typed. */
export function ListField({
  name,
  label,
  list,
  onChange,
}: {
  name: string;
  label: string;
  list: readonly string[];
  onChange: (list: string[]) => void;
}) {
  return (
    <Labelled name={name} label={label}>
      <input
        name={name}
        value={list.join(', ')}
        dir="auto"
        onChange={({ currentTarget }) => onChange(splitList(currentTarget.value))}
      />
    </Labelled>
  );
}

/** The comma-separated parts of a text. */
function splitList(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

/** Yes or no. */
export function FlagField({
  name,
  label,
  isOn,
  onChange,
}: {
  name: string;
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="flag">
      <input
        type="checkbox"
        name={name}
        checked={isOn}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      {label}
      <FieldProblem name={name} />
    </label>
  );
}

/** One of several values. */
export function SelectField({
  name,
  label,
  values,
  value,
  onChange,
}: {
  name: string;
  label: string;
  values: readonly string[];
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Labelled name={name} label={label}>
      <select name={name} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {values.map((one) => (
          <option key={one} value={one}>
            {tellIfKnown(`value.${name}.${one}` as OwnName)}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

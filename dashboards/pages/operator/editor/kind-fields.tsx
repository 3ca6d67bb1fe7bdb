import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { kindOf } from '../../../../core/voting/kinds/index.ts';
import type { Option } from '../../../../core/voting/rules/option.ts';
import { tellIfKnown } from '../words.ts';
import { type EditorProps, hasEffect } from './draft.ts';
import { FlagField, ListField, NumberField, SelectField, TextField } from './inputs.tsx';
import { OptionList } from './option-list.tsx';

/** The parts of a setting’s schema that the editor uses. */
interface SettingSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: { readonly type?: string };
}

interface KindFieldsProps extends EditorProps {
  /** The draft with all defaults. */
  readonly definition: Definition;
}

/** The settings specific to the draft’s kind. */
export function KindFields({ draft, definition, onChange }: KindFieldsProps) {
  const { properties } = kindOf(definition).settings;
  const names = Object.keys(properties).filter((name) => hasEffect(name, draft));
  const given = draft as Readonly<Record<string, unknown>>;
  const defaults = definition as Readonly<Record<string, unknown>>;
  return (
    <div class="row">
      {names.map((name) => (
        <SettingField
          key={name}
          name={name}
          schema={properties[name] as SettingSchema}
          value={given[name]}
          defaultValue={defaults[name]}
          onChange={(value) => onChange({ [name]: value })}
        />
      ))}
    </div>
  );
}

interface SettingFieldProps {
  readonly name: string;
  readonly schema: SettingSchema;
  readonly value: unknown;
  readonly defaultValue: unknown;
  readonly onChange: (value: unknown) => void;
}

/** The input that fits the schema of a setting. Objects have no input here, because they are edited elsewhere. */
function SettingField({ name, schema, value, defaultValue, onChange }: SettingFieldProps) {
  const field = { name, label: tellIfKnown(`field.${name}`) };
  switch (schema.type) {
    case 'boolean':
      return <FlagField {...field} isOn={(value ?? defaultValue) === true} onChange={onChange} />;
    case 'integer':
    case 'number':
      return <NumberField {...field} value={value as number | undefined} onChange={onChange} />;
    case 'string':
      if (schema.enum) {
        const chosen = String(value ?? defaultValue ?? schema.enum[0]);
        return <SelectField {...field} values={schema.enum} value={chosen} onChange={onChange} />;
      }
      return <TextField {...field} value={String(value ?? '')} onChange={(text) => onChange(text || undefined)} />;
    case 'array':
      if (schema.items?.type !== 'string') {
        return <Things name={name} things={value as readonly Option[] | undefined} onChange={onChange} />;
      }
      return (
        <ListField
          {...field}
          list={(value as readonly string[] | undefined) ?? []}
          onChange={(list) => onChange(list.length > 0 ? list : undefined)}
        />
      );
    default:
      return null;
  }
}

interface ThingsProps {
  readonly name: string;
  readonly things: readonly Option[] | undefined;
  readonly onChange: (things: readonly Option[] | undefined) => void;
}

/** An optional list of keys with labels, such as the items of a rating. */
function Things({ name, things, onChange }: ThingsProps) {
  const first = ['a', 'b'].map((key) => ({ key, label: '' }));
  return (
    <div class="whole">
      <FlagField
        name={name}
        label={tellIfKnown(`field.${name}`)}
        isOn={things !== undefined}
        onChange={(isOn) => onChange(isOn ? first : undefined)}
      />
      {things && <OptionList of="item" options={things} onChange={onChange} />}
    </div>
  );
}

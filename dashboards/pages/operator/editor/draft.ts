import type { Definition, Draft } from '../../../../core/voting/kinds/definition.ts';
import { kindOf } from '../../../../core/voting/kinds/index.ts';
import { checkDefinition } from '../../../../core/voting/poll/check.ts';
import { withDefaults, withoutSettingsOfOtherKinds } from '../../../../core/voting/poll/definition.ts';
import type { Option } from '../../../../core/voting/rules/option.ts';

/** A poll in the editor: what its author entered, without defaults. */
export type EditedPoll = Draft & { readonly options: readonly Option[] };

/** The props of every part of the editor. */
export interface EditorProps {
  readonly draft: EditedPoll;
  readonly onChange: (changes: Partial<EditedPoll>) => void;
}

export const EMPTY: EditedPoll = {
  poll: '',
  title: '',
  kind: 'single',
  options: [
    { key: 'a', label: '' },
    { key: 'b', label: '' },
  ],
};

/** Whether the author enters the options; otherwise they follow from the settings. */
export function hasOptions(draft: EditedPoll): boolean {
  return optionsOf(withDefaults(draft)) === 'author';
}

/** Whether a setting has an effect, given the other settings. */
export function hasEffect(setting: string, draft: EditedPoll): boolean {
  const definition = withDefaults(draft);
  const kind = kindOf(definition);
  if (setting === 'majority') return kind.majorityOf !== undefined;
  if (setting === 'tieBreak') return kind.breaksTies === true;
  return kind.applies?.(setting, definition) ?? true;
}

/** The draft as it is sent to the server: without settings that belong to other kinds or have no effect. */
export function draftOf(draft: EditedPoll): EditedPoll {
  const given = Object.entries(draft).filter(([name, value]) => value !== undefined && hasEffect(name, draft));
  const poll = Object.fromEntries(given) as EditedPoll;
  return withoutSettingsOfOtherKinds({ ...poll, options: writtenOptions(draft) });
}

/** The poll with all defaults, and its problems, checked by the same rules as on the server. */
export function checkDraft(draft: EditedPoll): { definition: Definition; problems: readonly string[] } {
  try {
    return checkDefinition(draftOf(draft));
  } catch (error) {
    // The check of a kind may throw while its settings are only half typed.
    return { definition: withDefaults(draftOf(draft)), problems: [(error as Error).message] };
  }
}

/** The maximum number of options drawn in a preview. */
const MAX_DRAWN = 101;

/** The question as the preview shows it; an option without a label is shown by its key. */
export function previewed(definition: Definition): Definition {
  const named = (options: readonly Option[]) =>
    options.slice(0, MAX_DRAWN).map(({ key, label }) => ({ key, label: label || key || '…' }));
  const items = 'items' in definition ? definition.items : undefined;
  return { ...definition, options: named(definition.options), ...(items ? { items: named(items) } : {}) };
}

/** The next unused key: a, b, c, …, z, o27, o28, … */
export function nextKey(options: readonly Option[]): string {
  const taken = new Set(options.map(({ key }) => key));
  for (let i = 0; ; i++) {
    const key = i < 26 ? String.fromCharCode(97 + i) : `o${i + 1}`;
    if (!taken.has(key)) return key;
  }
}

function optionsOf(definition: Definition) {
  return kindOf(definition).options?.(definition) ?? 'author';
}

/** The options that the author entered; if the kind determines the keys, only the labels for these keys. */
function writtenOptions(draft: EditedPoll): readonly Option[] {
  const definition = withDefaults(draft);
  const { options } = draft;
  if (optionsOf(definition) === 'author') return options;
  if (optionsOf(definition) === 'none') return [];
  const own = new Set(
    kindOf(definition)
      .complete({ ...definition, options: [] })
      .options.map(({ key }) => key),
  );
  return options.filter(({ key, label }) => label !== '' && own.has(key));
}

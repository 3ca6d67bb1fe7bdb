import type { Definition, Draft, KindName } from '../kinds/definition.ts';
import { KIND_NAMES, kindOf, kinds } from '../kinds/index.ts';
import type { Visibility } from '../rules/settings.ts';

/**
 * Settings that may still be changed after a poll has been opened: who sees results and how phrases are moderated, but never
 * the question.
 */
export const MUTABLE_SETTINGS = ['visibility', 'moderation'] as const;

/** All settings that are specific to some kinds, with the kinds that have them. */
export const kindSettings: ReadonlyMap<string, readonly KindName[]> = collectSettings();

function collectSettings(): Map<string, KindName[]> {
  const found = new Map<string, KindName[]>();
  for (const name of KIND_NAMES) {
    for (const setting of Object.keys(kinds[name].settings.properties)) {
      found.set(setting, [...(found.get(setting) ?? []), name]);
    }
  }
  return found;
}

/** The draft with the defaults of the settings that every kind has. */
export function withDefaults(draft: Draft): Definition {
  const written = { kind: 'single', options: [], revote: 'last', ...withoutGaps(draft) } as Definition;
  return { ...written, visibility: written.visibility ?? defaultVisibility(written) };
}

/** The draft without fields that are present but undefined. */
export function withoutGaps(draft: Draft): Draft {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined)) as Draft;
}

/**
 * Who sees results if the author does not say: those who have voted, so that nobody is influenced by the votes of others. Where
 * a question has a right answer, nobody before the end, because who answers first would learn what the others believe. Secret
 * polls have no figures before the end in any case. A kind may say otherwise.
 */
export function defaultVisibility(definition: Definition): Visibility {
  const { visibility = 'voted', hasAnswer } = kindOf(definition);
  return definition.secrecy === 'secret' || hasAnswer?.(definition) ? 'closed' : visibility;
}

/** The draft without settings of other kinds, for use after its kind has been changed. */
export function withoutSettingsOfOtherKinds<Written extends Draft>(draft: Written): Written {
  const { kind = 'single' } = draft;
  const kept = Object.entries(draft).filter(([field]) => kindSettings.get(field)?.includes(kind) ?? true);
  return Object.fromEntries(kept) as Written;
}

/** The definition as shown to the public: without right answers and other confidential settings. */
export function publicDefinition(definition: Definition): Definition {
  const { confidential = [] } = kindOf(definition);
  const open = Object.entries(definition).filter(([field]) => !confidential.includes(field));
  return Object.fromEntries(open) as Definition;
}

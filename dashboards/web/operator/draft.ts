import { checkDefinition, withoutForeignSettings } from '../../../core/voting/definition.ts';
import type { Definition, Option } from '../../../core/voting/poll.ts';

/** A poll as it is being written: what its author said, and nothing else. */
export type Draft = Partial<Definition> & { readonly title: string; readonly options: readonly Option[] };

/** What every part of the editor is given. */
export interface DraftProps {
  readonly draft: Draft;
  readonly onChange: (what: Partial<Draft>) => void;
}

export const EMPTY: Draft = {
  poll: '',
  title: '',
  kind: 'single',
  options: [
    { key: 'a', label: '' },
    { key: 'b', label: '' },
  ],
};

/** Kinds whose options are their author's; of others they follow from the settings. */
export function hasOptions({ kind, question }: Draft): boolean {
  if (kind === 'quiz') return question !== 'short';
  return kind !== 'motion' && kind !== 'rating' && kind !== 'numeric' && kind !== 'text';
}

/** True for settings that say something: some only do with others. */
export function isOfUse(name: string, { method, question, answer, kind }: Draft): boolean {
  switch (name) {
    case 'seats':
      return method === 'stv';
    case 'variant':
      return method === 'borda';
    case 'accept':
      return question === 'short';
    case 'correct':
      return question !== 'short';
    case 'majority':
      return kind === 'motion' || kind === 'single' || kind === undefined;
    case 'tolerance':
    case 'proximity':
    case 'points':
    case 'speed':
      return kind !== 'numeric' || answer !== undefined;
    default:
      return true;
  }
}

/** True for words of the author's own for an option that the kind has by itself. */
function isLabelOf({ key, label }: Option, { kind, min = 1, max = 5 }: Draft): boolean {
  if (label === '') return false;
  if (kind === 'motion') return ['yes', 'no', 'abstain'].includes(key);
  return kind === 'rating' && /^-?\d+$/.test(key) && Number(key) >= min && Number(key) <= max;
}

/** What is sent to the server: the draft without what its kind has not, or what says nothing any more. */
export function written(draft: Draft): Definition {
  const options = hasOptions(draft) ? draft.options : draft.options.filter((option) => isLabelOf(option, draft));
  const defaults = { poll: '', kind: 'single', revote: 'last', visibility: 'live' } as const;
  const given = Object.entries(draft).filter(([name, value]) => value !== undefined && isOfUse(name, draft));
  return withoutForeignSettings({ ...defaults, ...(Object.fromEntries(given) as unknown as Draft), options });
}

/** The most that a preview draws of anything: numbers are half-typed now and then. */
const MAX_DRAWN = 101;

/** The question as the preview shows it: an option whose label was not typed yet is called by its key. */
export function previewed(definition: Definition): Definition {
  const named = (options: readonly Option[]) =>
    options.slice(0, MAX_DRAWN).map(({ key, label }) => ({ key, label: label || key || '…' }));
  const { options, items, kind, min = 0, max = 0, maxPhrases = 3 } = definition;
  const isGrades = kind === 'score' || kind === 'rating';
  return {
    ...definition,
    options: named(options),
    maxPhrases: Math.min(maxPhrases, 10),
    ...(isGrades && max - min > MAX_DRAWN ? { max: min + MAX_DRAWN } : {}),
    ...(items ? { items: named(items) } : {}),
  };
}

/** The poll as it would be asked, and what is wrong with it, by the same rules that the server has. */
export function checked(draft: Draft): { definition: Definition; problems: string[] } {
  try {
    return checkDefinition(written(draft));
  } catch (error) {
    // Half-typed settings may be none that a kind can make sense of.
    return { definition: written(draft), problems: [(error as Error).message] };
  }
}

/** The next key that no option has: a, b, c, …, z, o27, o28, … */
export function nextKey(options: readonly Option[]): string {
  const taken = new Set(options.map(({ key }) => key));
  for (let i = 0; ; i++) {
    const key = i < 26 ? String.fromCharCode(97 + i) : `o${i + 1}`;
    if (!taken.has(key)) return key;
  }
}

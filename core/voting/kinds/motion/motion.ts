import type { Option } from '../../rules/option.ts';
import { fullestKey } from '../choices/full.ts';
import { parseKey } from '../choices/keys.ts';
import { figuresByKey } from '../figures/by-key.ts';
import type { Kind } from '../kind.ts';
import { settings } from './settings.ts';

const FOR_AND_AGAINST: readonly Option[] = [
  { key: 'yes', label: 'Yes' },
  { key: 'no', label: 'No' },
];
const ABSTAIN: Option = { key: 'abstain', label: 'Abstain' };
/** Short forms for clickers that send a single byte. */
const SHORT: Readonly<Record<string, string>> = { y: 'yes', n: 'no', a: 'abstain' };

/** Yes, no or abstain. A choice is one of these words; voters may send just the first letter. Authors may change the labels. */
export const motion: Kind<'motion'> = {
  settings,
  majorityOf: 'yes',

  complete(definition) {
    const { options, abstain = true } = definition;
    const labels = new Map(options.map(({ key, label }) => [key, label]));
    const own = abstain ? [...FOR_AND_AGAINST, ABSTAIN] : FOR_AND_AGAINST;
    const foreign = options.filter(({ key }) => !own.some((option) => option.key === key));
    const labelled = own.map(({ key, label }) => ({ key, label: labels.get(key) ?? label }));
    return { ...definition, abstain, options: [...labelled, ...foreign] };
  },

  problems({ options, abstain }) {
    const own = abstain ? 'yes, no and abstain' : 'yes and no';
    return options
      .slice(abstain ? 3 : 2)
      .map(({ key }) => `options: a motion only has ${own}, not ${JSON.stringify(key)}; use kind single instead`);
  },

  parse: (text, { options }) => parseKey(SHORT[text.toLowerCase()] ?? text.toLowerCase(), options),
  fullest: ({ options }) => fullestKey(options),
  result: (definition, bundles) => ({ options: figuresByKey(definition, bundles, {}).options }),
  options: () => 'labels',
  abstention: () => ABSTAIN.key,
};

import type { Option } from '../poll.ts';
import type { Kind } from './kind.ts';
import { parseKey, resultOfKeys } from './single.ts';

const FOR_AND_AGAINST: readonly Option[] = [
  { key: 'yes', label: 'Yes' },
  { key: 'no', label: 'No' },
];
const ABSTAIN: Option = { key: 'abstain', label: 'Abstain' };
/** What a clicker with one byte to send may send. */
const SHORT: Readonly<Record<string, string>> = { y: 'yes', n: 'no', a: 'abstain' };

/** Yes, no, or abstain. A choice is one of these words; their first letters do as well. Labels may be the author's. */
export const motion: Kind = {
  settings: ['abstain'],

  complete(definition) {
    const { options, abstain = true } = definition;
    const labels = new Map(options.map(({ key, label }) => [key, label]));
    const own = abstain ? [...FOR_AND_AGAINST, ABSTAIN] : FOR_AND_AGAINST;
    const strangers = options.filter(({ key }) => !own.some((option) => option.key === key));
    const named = own.map(({ key, label }) => ({ key, label: labels.get(key) ?? label }));
    return { ...definition, abstain, options: [...named, ...strangers] };
  },

  problems({ options, abstain }) {
    const own = abstain ? 'yes, no and abstain' : 'yes and no';
    return options
      .slice(abstain ? 3 : 2)
      .map(({ key }) => `options: a motion has ${own} and no ${JSON.stringify(key)}; use the kind single`);
  },

  parse: (text, definition) => parseKey(SHORT[text.toLowerCase()] ?? text.toLowerCase(), definition),

  result(definition, bundles, circumstances) {
    // Who leads a motion is for its majority to say.
    const { options } = resultOfKeys(definition, bundles, circumstances);
    return { options };
  },
};

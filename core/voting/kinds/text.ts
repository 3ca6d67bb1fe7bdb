import { sumBundles } from '../cast.ts';
import type { Definition } from '../poll.ts';
import { reject } from '../rejection.ts';
import { Count } from './count.ts';
import type { Kind, KindResult } from './kind.ts';
import { normalPhrase, phraseLength } from './phrase.ts';

const LIMITS = { maxLength: 100, maxPhrases: 10, stop: 1_000 } as const;
/** Phrases that a result tells one by one. */
const MAX_SHOWN = 100;

/**
 * Short phrases, for a word cloud. A choice is one phrase or several, joined by commas, in one form each (`normalPhrase`).
 * The options of the result are the phrases that most voters sent; of moderated ones, what operators made of them.
 */
export const text: Kind = {
  settings: ['maxLength', 'maxPhrases', 'stop', 'moderation'],

  complete(definition) {
    const { maxLength = 40, maxPhrases = 3, stop = [], moderation } = definition;
    return {
      ...definition,
      maxLength,
      maxPhrases,
      stop: stop.map((phrase) => normalPhrase(phrase) ?? phrase),
      ...(moderation ? { moderation: normalised(moderation) } : {}),
    };
  },

  problems({ options, maxLength = 1, maxPhrases = 1, stop = [] }) {
    const problems: string[] = [];
    if (options.length > 0) problems.push('options: a text poll has none; voters write their own');
    if (maxLength < 1 || maxLength > LIMITS.maxLength) {
      problems.push(`maxLength: from 1 to ${LIMITS.maxLength}, not ${maxLength}`);
    }
    if (maxPhrases < 1 || maxPhrases > LIMITS.maxPhrases) {
      problems.push(`maxPhrases: from 1 to ${LIMITS.maxPhrases}, not ${maxPhrases}`);
    }
    if (stop.length > LIMITS.stop) problems.push(`stop: at most ${LIMITS.stop} phrases, not ${stop.length}`);
    return problems;
  },

  parse(input, { maxLength = 40, maxPhrases = 3, stop = [] }) {
    // First in one form: other scripts' commas are commas too.
    const parts = input.normalize('NFKC').split(/[,;\n]/, LIMITS.maxPhrases + 1);
    const phrases = new Set<string>();
    for (const part of parts) {
      const phrase = normalPhrase(part);
      if (phrase === undefined) return reject('malformed-text');
      if (phrase !== '') phrases.add(phrase);
    }
    if (phrases.size === 0) return reject('empty');
    if (parts.length > LIMITS.maxPhrases || phrases.size > maxPhrases) return reject('too-many-options');
    for (const phrase of phrases) {
      if (phraseLength(phrase) > maxLength) return reject('too-long');
      if (stop.includes(phrase)) return reject('stopped');
    }
    return [...phrases].join(',');
  },

  result: (definition, bundles) => cloudOf(definition, bundles),
};

function normalised({ hide = [], merge = {} }: NonNullable<Definition['moderation']>) {
  const one = (phrase: string) => normalPhrase(phrase) ?? phrase;
  return {
    hide: hide.map(one),
    merge: Object.fromEntries(Object.entries(merge).map(([from, to]) => [one(from), one(to)])),
  };
}

/** How many voters sent each phrase, the most first; shares are of voters. */
export function cloudOf(
  definition: Definition,
  bundles: Parameters<Kind['result']>[1],
): KindResult & { phrases: number } {
  const { hide = [], merge = {} } = definition.moderation ?? {};
  const hidden = new Set(hide);
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    // A voter who sent two phrases that were merged sent one.
    const phrases = new Set(choice.split(',').map((phrase) => (Object.hasOwn(merge, phrase) ? merge[phrase] : phrase)));
    for (const phrase of phrases) if (phrase && !hidden.has(phrase)) count.add(phrase, heads, weight);
  }
  const ordered = count.keys.sort((a, b) => {
    const [x, y] = [count.weight(a), count.weight(b)];
    return x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1;
  });
  const shown = ordered.slice(0, MAX_SHOWN).map((phrase) => ({ key: phrase, label: phrase }));
  return { options: count.lines(shown, sumBundles(bundles), definition), phrases: ordered.length };
}

import { reject } from '../../rules/rejection.ts';
import { listProblems } from '../../rules/text/printable.ts';
import { bare, fullestPhrases, normalPhrase, phraseLength } from '../choices/phrase.ts';
import { cloudOf } from '../figures/cloud.ts';
import type { Kind } from '../kind.ts';
import { type Moderation, settings } from './settings.ts';

const LIMITS = { maxLength: 100, maxPhrases: 10, stop: 1_000 } as const;
/** The maximum length of the phrases in `stop` and `moderation`, in characters. */
const MAX_LISTED_LENGTH = 200;

/**
 * Short phrases for a word cloud. A choice is one or more phrases separated by commas, each in its normal form
 * (`normalPhrase`).
 */
export const text: Kind<'text'> = {
  settings,
  confidential: ['stop', 'moderation'],

  complete(definition) {
    const { maxLength = 40, maxPhrases = 3, stop = [], moderation } = definition;
    return {
      ...definition,
      maxLength,
      maxPhrases,
      stop: stop.map(normalised),
      ...(moderation ? { moderation: normalModeration(moderation) } : {}),
    };
  },

  problems({ options, maxLength = 1, maxPhrases = 1, stop = [], moderation }) {
    const { hide = [], merge = {} } = moderation ?? {};
    const problems = [
      ...listProblems('stop', stop, MAX_LISTED_LENGTH),
      ...listProblems('moderation.hide', hide, MAX_LISTED_LENGTH),
      ...listProblems('moderation.merge', Object.entries(merge).flat(), MAX_LISTED_LENGTH),
    ];
    if (options.length > 0) problems.push('options: not allowed in a text poll; voters write their own phrases');
    if (maxLength < 1 || maxLength > LIMITS.maxLength) {
      problems.push(`maxLength: must be from 1 to ${LIMITS.maxLength}, not ${maxLength}`);
    }
    if (maxPhrases < 1 || maxPhrases > LIMITS.maxPhrases) {
      problems.push(`maxPhrases: must be from 1 to ${LIMITS.maxPhrases}, not ${maxPhrases}`);
    }
    if (stop.length > LIMITS.stop)
      problems.push(`stop: at most ${LIMITS.stop} phrases are allowed, not ${stop.length}`);
    return problems;
  },

  parse(input, { maxLength = 40, maxPhrases = 3, stop = [] }) {
    const stopped = stoppedBy(stop);
    // Normalise before splitting, because NFKC turns full-width commas into ordinary ones.
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
      if (stopped.has(bare(phrase))) return reject('stopped');
    }
    return [...phrases].join(',');
  },

  fullest: ({ maxLength = 40, maxPhrases = 3 }) => fullestPhrases(maxLength, maxPhrases),
  result: (definition, bundles) => cloudOf(definition, bundles),
  options: () => 'none',
};

const stopLists = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The phrases of a stop list without invisible characters; computed once per list, because every vote needs them. */
function stoppedBy(stop: readonly string[]): ReadonlySet<string> {
  const known = stopLists.get(stop) ?? new Set(stop.map((phrase) => bare(normalised(phrase))));
  stopLists.set(stop, known);
  return known;
}

const normalised = (phrase: string): string => normalPhrase(phrase) ?? phrase;

function normalModeration({ hide = [], merge = {} }: Moderation): Moderation {
  return {
    hide: hide.map(normalised),
    merge: Object.fromEntries(Object.entries(merge).map(([from, to]) => [normalised(from), normalised(to)])),
  };
}

import { type Bundle, sumBundles } from '../../count/cast.ts';
import { isRejection, reject } from '../../rules/rejection.ts';
import { fullestKeys } from '../choices/full.ts';
import { parseOrder, seatProblems, tooFewOptionsProblems } from '../choices/keys.ts';
import type { Definition } from '../definition.ts';
import { Count } from '../figures/count.ts';
import type { OptionResult } from '../figures/option-result.ts';
import type { Kind } from '../kind.ts';
import { EQUAL, electionOf } from './ballots.ts';
import { borda } from './borda.ts';
import { condorcet } from './pairs/condorcet.ts';
import { instantRunoff } from './runoff.ts';
import { METHODS, METHODS_OF, settings } from './settings.ts';
import { singleTransferableVote } from './stv/stv.ts';

/** The maximum number of options. Nobody ranks more than this. */
const MAX_RANKED = 50;
/** The most decimal places that a transfer value may have: those of weights. */
const MAX_DECIMALS = 6;

/**
 * All or some options in order of preference. A choice is `b>a>c`; voters may also use commas, or no separator if every key is
 * a single character. With the methods that compare options (borda, condorcet), options may share a rank: `b>a=c`. The options'
 * counts are first preferences; `method` determines the winner.
 */
export const ranking: Kind<'ranking'> = {
  settings,
  breaksTies: true,

  complete(definition) {
    const { min = 1, max = definition.options.length, method = 'irv', seats, variant } = definition;
    const { until = 'majority', rules = 'scottish', completion = 'ranked-pairs' } = definition;
    const own = {
      irv: { until },
      stv: { seats: seats ?? 1, rules },
      borda: { variant: variant ?? 'standard' },
      condorcet: { completion },
    };
    return { ...definition, min, max, method, ...own[method] };
  },

  problems(definition) {
    const { options, min = 1, max = 1, method = 'irv', seats, decimals, rules } = definition;
    const problems = tooFewOptionsProblems(options, 'a ranking');
    if (options.length > MAX_RANKED)
      problems.push(`options: at most ${MAX_RANKED} are allowed in a ranking, not ${options.length}`);
    if (min < 1 || min > options.length) problems.push(`min: must be from 1 to the number of options, not ${min}`);
    if (max < min || max > options.length)
      problems.push(`max: must be from min (${min}) to the number of options, not ${max}`);
    if (!METHODS.includes(method)) problems.push(`method: must be one of ${METHODS.join(', ')} in a ranking`);
    for (const [setting, owner] of Object.entries(METHODS_OF)) {
      if (definition[setting as keyof typeof METHODS_OF] !== undefined && method !== owner) {
        problems.push(`${setting}: only allowed with method ${owner}`);
      }
    }
    problems.push(...seatProblems(seats, options.length));
    for (const setting of ['decimals', 'quota'] as const) {
      if (method === 'stv' && definition[setting] !== undefined && rules !== 'wigm')
        problems.push(`${setting}: only allowed with rules wigm`);
    }
    if (decimals !== undefined && (decimals < 0 || decimals > MAX_DECIMALS))
      problems.push(`decimals: must be from 0 to ${MAX_DECIMALS}, not ${decimals}`);
    return problems;
  },

  parse(text, { options, min = 1, max = options.length, method }) {
    const ranked = parseOrder(text.replaceAll(EQUAL, '>'), options);
    if (isRejection(ranked)) return ranked;
    if (ranked.length < min) return reject('too-few-options');
    if (ranked.length > max) return reject('too-many-options');
    if (!text.includes(EQUAL)) return ranked.join('>');
    if (!allowsEqualRanks({ method })) return reject('equal-ranks');
    const places = new Map(options.map(({ key }, place) => [key, place]));
    const groups: string[][] = [];
    const separators = text.match(/[>,=]/g) ?? [];
    for (const [i, key] of ranked.entries()) {
      if (separators[i - 1] === EQUAL) groups.at(-1)?.push(key);
      else groups.push([key]);
    }
    const inOrder = (rank: readonly string[]) =>
      rank.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0)).join(EQUAL);
    return groups.map(inOrder).join('>');
  },

  fullest: ({ options, max = options.length }) => fullestKeys(options, max, '>'),

  lines: firstPreferences,

  result(definition, bundles, { breaker, isFinal, withdrawn }) {
    const options = firstPreferences(definition, bundles);
    const election = electionOf(definition, bundles, withdrawn);
    switch (definition.method) {
      case 'stv':
        return { options, method: 'stv', ...singleTransferableVote(election, breaker, isFinal) };
      case 'borda':
        return { options, method: 'borda', ...borda(election, breaker) };
      case 'condorcet':
        return { options, method: 'condorcet', ...condorcet(election, breaker) };
      default:
        return { options, method: 'irv', ...instantRunoff(election, breaker, isFinal) };
    }
  },

  applies(setting, { method = 'irv', rules }) {
    if (setting === 'decimals' || setting === 'quota') return method === 'stv' && rules === 'wigm';
    const owner = METHODS_OF[setting as keyof typeof METHODS_OF];
    return owner === undefined || owner === method;
  },
};

function firstPreferences(definition: Definition<'ranking'>, bundles: readonly Bundle[]): OptionResult[] {
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    const end = choice.indexOf('>');
    const first = end === -1 ? choice : choice.slice(0, end);
    if (!first.includes(EQUAL)) count.add(first, heads, weight);
    else for (const key of first.split(EQUAL)) count.add(key, heads, weight);
  }
  return count.lines(definition.options, sumBundles(bundles), definition);
}

/**
 * Whether options may share a rank. Not in runoffs and transfers, where each ballot belongs to exactly one option at a time.
 */
export function allowsEqualRanks({ method }: { readonly method?: string | undefined }): boolean {
  return method === 'borda' || method === 'condorcet';
}

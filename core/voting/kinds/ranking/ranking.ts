import { sumBundles } from '../../cast.ts';
import { reject } from '../../rejection.ts';
import { Count } from '../count.ts';
import type { Kind } from '../kind.ts';
import { atLeastTwo } from '../single.ts';
import { electionOf } from './ballots.ts';
import { borda } from './borda.ts';
import { condorcet } from './condorcet.ts';
import { instantRunoff } from './runoff.ts';
import { singleTransferableVote } from './transferable.ts';

/** More options than anybody ranks; and a vote must fit its payload. */
const MAX_RANKED = 50;

const METHODS = { irv: instantRunoff, stv: singleTransferableVote, borda, condorcet };
type Method = keyof typeof METHODS;

/**
 * Options in order of preference, all of them or some. A choice is `b>a>c`; commas do as well, and where all keys are one
 * character nothing between them. The options' counts are first preferences; `method` says what decides.
 */
export const ranking: Kind = {
  settings: ['min', 'max', 'method', 'seats', 'variant'],

  complete(definition) {
    const { min = 1, max = definition.options.length, method = 'irv', seats, variant } = definition;
    const stv = method === 'stv' ? { seats: seats ?? 1 } : {};
    const ofBorda = method === 'borda' ? { variant: variant ?? 'standard' } : {};
    return { ...definition, min, max, method, ...stv, ...ofBorda };
  },

  problems({ options, min = 1, max = 1, method = 'irv', seats, variant }) {
    const problems = atLeastTwo(options, 'a ranking');
    if (options.length > MAX_RANKED)
      problems.push(`options: a ranking has at most ${MAX_RANKED}, not ${options.length}`);
    if (min < 1 || min > options.length) problems.push(`min: from 1 to the number of options, not ${min}`);
    if (max < min || max > options.length) problems.push(`max: from min (${min}) to the number of options, not ${max}`);
    if (!(method in METHODS)) problems.push(`method: a ranking is counted by ${Object.keys(METHODS).join(', ')}`);
    if (seats !== undefined && method !== 'stv') problems.push('seats: only with the method stv');
    if (seats !== undefined && (seats < 1 || seats >= options.length)) {
      problems.push(`seats: from 1 to fewer than the ${options.length} options, not ${seats}`);
    }
    if (variant !== undefined && method !== 'borda') problems.push('variant: only with the method borda');
    return problems;
  },

  parse(text, { options, min = 1, max = options.length }) {
    const keys = options.map(({ key }) => key);
    const isCompact = !/[>,]/.test(text) && !keys.includes(text) && keys.every((key) => key.length === 1);
    const ranks = isCompact ? [...text] : text.split(/[>,]/, keys.length + 1).map((key) => key.trim());
    const known = new Set(keys);
    if (!ranks.every((key) => known.has(key))) return reject('unknown-option');
    if (new Set(ranks).size !== ranks.length) return reject('duplicate-option');
    if (ranks.length < min) return reject('too-few-options');
    if (ranks.length > max) return reject('too-many-options');
    return ranks.join('>');
  },

  result(definition, bundles, { breaker }) {
    const count = new Count();
    for (const { choice, heads, weight } of bundles) count.add(choice.split('>', 1)[0] as string, heads, weight);
    const method = (definition.method ?? 'irv') as Method;
    return {
      options: count.lines(definition.options, sumBundles(bundles), definition),
      method,
      ...METHODS[method](electionOf(definition, bundles), breaker),
    };
  },
};

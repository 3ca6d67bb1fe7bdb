import { sumBundles } from '../../count/cast.ts';
import { reject } from '../../rules/rejection.ts';
import { tooFewOptionsProblems } from '../choices/keys.ts';
import { Count } from '../figures/count.ts';
import type { Kind } from '../kind.ts';
import { electionOf } from './ballots.ts';
import { borda } from './borda.ts';
import { condorcet } from './condorcet.ts';
import { instantRunoff } from './runoff.ts';
import { settings } from './settings.ts';
import { singleTransferableVote } from './transferable.ts';

/** The maximum number of options. Nobody ranks more than this, and a vote that ranks all of them must fit into its payload. */
const MAX_RANKED = 50;

const METHODS = ['irv', 'stv', 'borda', 'condorcet'];

/**
 * All or some options in order of preference. A choice is `b>a>c`; voters may also use commas, or no separator if every key is
 * a single character. The options' counts are first preferences; `method` determines the winner.
 */
export const ranking: Kind<'ranking'> = {
  settings,

  complete(definition) {
    const { min = 1, max = definition.options.length, method = 'irv', seats, variant } = definition;
    const stvSettings = method === 'stv' ? { seats: seats ?? 1 } : {};
    const bordaSettings = method === 'borda' ? { variant: variant ?? 'standard' } : {};
    return { ...definition, min, max, method, ...stvSettings, ...bordaSettings };
  },

  problems({ options, min = 1, max = 1, method = 'irv', seats, variant }) {
    const problems = tooFewOptionsProblems(options, 'a ranking');
    if (options.length > MAX_RANKED)
      problems.push(`options: at most ${MAX_RANKED} are allowed in a ranking, not ${options.length}`);
    if (min < 1 || min > options.length) problems.push(`min: must be from 1 to the number of options, not ${min}`);
    if (max < min || max > options.length)
      problems.push(`max: must be from min (${min}) to the number of options, not ${max}`);
    if (!METHODS.includes(method)) problems.push(`method: must be one of ${METHODS.join(', ')} in a ranking`);
    if (seats !== undefined && method !== 'stv') problems.push('seats: only allowed with method stv');
    if (seats !== undefined && (seats < 1 || seats >= options.length)) {
      problems.push(`seats: must be at least 1 and fewer than the ${options.length} options, not ${seats}`);
    }
    if (variant !== undefined && method !== 'borda') problems.push('variant: only allowed with method borda');
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
    const options = count.lines(definition.options, sumBundles(bundles), definition);
    const election = electionOf(definition, bundles);
    switch (definition.method) {
      case 'stv':
        return { options, method: 'stv', ...singleTransferableVote(election, breaker) };
      case 'borda':
        return { options, method: 'borda', ...borda(election, breaker) };
      case 'condorcet':
        return { options, method: 'condorcet', ...condorcet(election, breaker) };
      default:
        return { options, method: 'irv', ...instantRunoff(election, breaker) };
    }
  },

  applies(setting, { method }) {
    if (setting === 'seats') return method === 'stv';
    return setting !== 'variant' || method === 'borda';
  },
};

import type { PollInfo } from './api.ts';

/** A random number generator of one seed (mulberry32): the same seed, the same rehearsal. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** What people write when they are asked for a word. */
const WORDS = ['great', 'exciting', 'long', 'clear', 'too fast', 'fun', 'curious', 'tired', 'inspired', 'lunch'];
/** How uneven choices are: the first options are taken more often, so that the bars look like an audience's. */
const UNEVEN = 1.6;

type Random = () => number;
type Chooser = (poll: PollInfo, random: Random) => string;

const upTo = (most: number, random: Random): number => Math.floor(random() * (most + 1));

const oneKey: Chooser = ({ options }, random) =>
  options[Math.floor(random() ** UNEVEN * options.length)]?.key as string;

/** Some keys, in the poll's order. */
const someKeys = (poll: PollInfo, random: Random, least: number, most: number): string => {
  const options = poll.none ? poll.options.filter(({ key }) => key !== 'none') : poll.options;
  const wanted = least + upTo(Math.min(most, options.length) - least, random);
  const chosen = new Set<string>();
  while (chosen.size < wanted) chosen.add(oneKey({ ...poll, options }, random));
  const keys = options.map(({ key }) => key);
  return keys.filter((key) => chosen.has(key)).join(',');
};

/** Keys in some order. */
const ordered = ({ options }: PollInfo, random: Random, least: number, most: number): string => {
  const keys = options.map(({ key }, place) => ({ key, rank: random() + place / options.length }));
  keys.sort((a, b) => a.rank - b.rank);
  return keys
    .slice(0, least + upTo(most - least, random))
    .map(({ key }) => key)
    .join('>');
};

const grades = (keys: readonly { key: string }[], min: number, max: number, random: Random): string =>
  keys.map(({ key }) => `${key}:${min + upTo(max - min, random)}`).join(',');

const choosers: Readonly<Record<string, Chooser>> = {
  multiple: (poll, random) => someKeys(poll, random, poll.min ?? 1, poll.max ?? poll.options.length),
  rating: (poll, random) =>
    poll.items ? grades(poll.items, poll.min ?? 1, poll.max ?? 5, random) : oneKey(poll, random),
  numeric({ min = 0, max = 0, decimals = 0 }, random) {
    const scale = 10 ** decimals;
    return String((Math.round(min * scale) + upTo(Math.round((max - min) * scale), random)) / scale);
  },
  points({ options, budget = 10 }, random) {
    const given = new Map(options.map(({ key }) => [key, 0]));
    for (let point = 0; point < budget; point++) {
      const { key } = options[upTo(options.length - 1, random)] as { key: string };
      given.set(key, (given.get(key) ?? 0) + 1);
    }
    const spent = [...given].filter(([, points]) => points > 0);
    return spent.map(([key, points]) => `${key}:${points}`).join(',');
  },
  ranking: (poll, random) => ordered(poll, random, poll.min ?? 1, poll.max ?? poll.options.length),
  score: (poll, random) => grades(poll.options, poll.min ?? 0, poll.max ?? 5, random),
  quiz(poll, random) {
    if (poll.question === 'short') return WORDS[upTo(WORDS.length - 1, random)] as string;
    if (poll.question === 'ordering') return ordered(poll, random, poll.options.length, poll.options.length);
    return poll.question === 'multiple' ? someKeys(poll, random, 1, poll.options.length) : oneKey(poll, random);
  },
  text: (_poll, random) => WORDS[upTo(WORDS.length - 1, random)] as string,
};

/** A valid choice for a poll, as it is counted. */
export function randomChoice(poll: PollInfo, random: Random): string {
  return (choosers[poll.kind] ?? oneKey)(poll, random);
}

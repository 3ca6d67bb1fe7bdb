import type { Definition, KindName } from '../client/answers.ts';
import { type Random, upTo } from './random.ts';

/** How the simulator votes in polls of one kind. */
interface Simulated<Name extends KindName> {
  /** A random valid choice, in the form in which it is counted. */
  choose(poll: Definition<Name>, random: Random): string;
  /** Whether each option’s count is the number of devices that chose it, so that a tally can be compared with the ledger. */
  isPlain?(poll: Definition<Name>): boolean;
}

type Keyed = readonly { readonly key: string }[];

/** Typical answers of people who are asked for a word. */
const WORDS = ['great', 'exciting', 'long', 'clear', 'too fast', 'fun', 'curious', 'tired', 'inspired', 'lunch'];
/** An exponent that makes the first options more likely, so that the bars look like those of a real audience. */
const UNEVEN = 1.6;

function oneKey(options: Keyed, random: Random): string {
  return options[Math.floor(random() ** UNEVEN * options.length)]?.key as string;
}

/** A random selection of keys, in the poll’s order. */
function someKeys(options: Keyed, random: Random, least: number, most: number): string {
  const wanted = least + upTo(Math.min(most, options.length) - least, random);
  const chosen = new Set<string>();
  while (chosen.size < wanted) chosen.add(oneKey(options, random));
  const keys = options.map(({ key }) => key);
  return keys.filter((key) => chosen.has(key)).join(',');
}

/** A random number of keys, in a random order. */
function ordered(options: Keyed, random: Random, least: number, most: number): string {
  const keys = options.map(({ key }, place) => ({ key, rank: random() + place / options.length }));
  keys.sort((a, b) => a.rank - b.rank);
  return keys
    .slice(0, least + upTo(most - least, random))
    .map(({ key }) => key)
    .join('>');
}

function grades(things: Keyed, min: number, max: number, random: Random): string {
  return things.map(({ key }) => `${key}:${min + upTo(max - min, random)}`).join(',');
}

const word = (random: Random): string => WORDS[upTo(WORDS.length - 1, random)] as string;

/** How to vote in each kind of poll. */
export const simulated: { readonly [Name in KindName]: Simulated<Name> } = {
  single: { choose: ({ options }, random) => oneKey(options, random), isPlain: () => true },
  motion: { choose: ({ options }, random) => oneKey(options, random), isPlain: () => true },
  multiple: {
    choose({ options: all, none, min = 1, max }, random) {
      const options = none ? all.filter(({ key }) => key !== 'none') : all;
      return someKeys(options, random, min, max ?? options.length);
    },
  },
  rating: {
    choose: ({ options, items, min = 1, max = 5 }, random) =>
      items ? grades(items, min, max, random) : oneKey(options, random),
    isPlain: ({ items }) => !items,
  },
  numeric: {
    choose({ min = 0, max = 0, decimals = 0 }, random) {
      const scale = 10 ** decimals;
      return String((Math.round(min * scale) + upTo(Math.round((max - min) * scale), random)) / scale);
    },
  },
  points: {
    choose({ options, budget = 10, max = budget }, random) {
      const given = new Map(options.map(({ key }) => [key, 0]));
      for (let point = 0; point < budget; point++) {
        const open = options.filter(({ key }) => (given.get(key) ?? 0) < max);
        const option = open[upTo(open.length - 1, random)];
        if (option) given.set(option.key, (given.get(option.key) ?? 0) + 1);
      }
      const spent = [...given].filter(([, points]) => points > 0);
      return spent.map(([key, points]) => `${key}:${points}`).join(',');
    },
  },
  ranking: {
    choose: ({ options, min = 1, max }, random) => ordered(options, random, min, max ?? options.length),
  },
  score: { choose: ({ options, min = 0, max = 5 }, random) => grades(options, min, max, random) },
  quiz: {
    choose({ question, options }, random) {
      switch (question) {
        case 'short':
          return word(random);
        case 'ordering':
          return ordered(options, random, options.length, options.length);
        case 'multiple':
          return someKeys(options, random, 1, options.length);
        default:
          return oneKey(options, random);
      }
    },
  },
  text: { choose: (_poll, random) => word(random) },
  pulse: { choose: ({ options }, random) => oneKey(options, random) },
};

/** A random valid choice for a poll, in the form in which it is counted. */
export function randomChoice(poll: Definition, random: Random): string {
  return simulatedKind(poll).choose(poll, random);
}

/** Whether each option’s count is the number of devices that chose it. */
export function isPlain(poll: Definition): boolean {
  return simulatedKind(poll).isPlain?.(poll) ?? false;
}

function simulatedKind({ kind }: Definition): Simulated<KindName> {
  return simulated[kind];
}

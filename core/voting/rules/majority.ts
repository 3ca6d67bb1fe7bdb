import * as Type from 'typebox';
import { closed, type Frozen, integer, oneOf, string } from './schema.ts';

/**
 * What a majority is a share of. `yes+no`: votes for and against · `valid`: ballots that do not abstain · `cast`: all ballots
 * · `present`: voters whose devices are connected at the close · `entitled`: everyone who may vote.
 */
export const MAJORITY_BASES = ['yes+no', 'valid', 'cast', 'present', 'entitled'] as const;
export type Base = (typeof MAJORITY_BASES)[number];

/** What is counted: voters, their weights, or groups (each group has one vote). */
export const COUNTED = ['heads', 'weight', 'groups'] as const;
export type Counted = (typeof COUNTED)[number];

const Requirement = closed({
  share: string('an exact fraction, such as "> 1/2" or ">= 2/3"'),
  of: oneOf(MAJORITY_BASES, 'what the share refers to'),
  by: Type.Optional(oneOf(COUNTED, 'what is counted; default weight in weighted polls, heads in others')),
});

/** One condition of a majority. */
export type Majority = Frozen<Type.Static<typeof Requirement>>;

/** Named majorities. */
export const MAJORITIES: Readonly<Record<string, readonly Majority[]>> = {
  simple: [{ share: '> 1/2', of: 'yes+no' }],
  absolute: [{ share: '> 1/2', of: 'entitled' }],
  'two-thirds': [{ share: '>= 2/3', of: 'yes+no' }],
  'three-quarters': [{ share: '>= 3/4', of: 'yes+no' }],
  unanimous: [{ share: '>= 1/1', of: 'yes+no' }],
};

export const MajoritySchema = Type.Unsafe<string | Majority[]>({
  description: 'motion, single: the required majority, by name or as a list of conditions that must all be met',
  oneOf: [
    { type: 'string', enum: Object.keys(MAJORITIES) },
    { type: 'array', items: Requirement },
  ],
});

export const QuorumSchema = closed(
  {
    share: Type.Optional(string('the share of everyone who may vote, such as ">= 1/2"')),
    number: Type.Optional(integer('the minimum number of voters, or their minimum weight')),
    count: Type.Optional(
      oneOf(['present', 'cast'], 'what is counted: voters whose devices are connected (default), or ballots'),
    ),
    at: Type.Optional(oneOf(['open', 'close', 'both'], 'when the quorum is checked; default close')),
    by: Type.Optional(oneOf(['heads', 'weight'], 'the unit; default weight in weighted polls, heads in others')),
  },
  'how many must take part: a share or a number',
);

/** How many must take part. Either `share` or `number` is given. */
export type Quorum = Frozen<Type.Static<typeof QuorumSchema>>;

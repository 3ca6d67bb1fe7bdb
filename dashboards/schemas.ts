import { type TProperties, Type } from 'typebox';
import { MAX_LABEL_LENGTH, MAX_OPTIONS, MAX_TITLE_LENGTH } from '../core/voting/definition.ts';
import { KIND_NAMES } from '../core/voting/poll.ts';
import {
  BASES,
  type Eligible,
  MAJORITIES,
  type Majority,
  type Revote,
  SECRECIES,
  TIE_BREAKS,
  VISIBILITIES,
} from '../core/voting/rules.ts';
import { MAX_DEVICES } from './device-table.ts';
import { REHEARSAL_LIMITS } from './rehearsals.ts';

/** The API's shapes. They check the form; `checkDefinition` checks the sense, and lists every problem. */

const id = (about: string) => Type.String({ description: `${about}: 1 to 64 of A-Z a-z 0-9 _ -` });
const oneOf = <const T extends string>(names: readonly T[], about: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...names], description: about });
const closed = <T extends TProperties>(properties: T, about?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(about ? { description: about } : {}) });
const whole = (about: string) => Type.Integer({ description: about });
const number = (about: string) => Type.Number({ description: about });
const flag = (about: string) => Type.Boolean({ description: about });
const text = (about: string) => Type.String({ description: about });
const texts = (about: string) => Type.Array(Type.String(), { maxItems: 1_000, description: about });

const Option = closed({
  key: Type.String({ description: 'what devices send', examples: ['a'] }),
  label: Type.String({ description: `what people read, at most ${MAX_LABEL_LENGTH} characters` }),
});

const MajorityRule = Type.Unsafe<string | Majority[]>({
  description: 'motion, single: what must be reached; a name, or a list of which all must be met',
  oneOf: [
    { type: 'string', enum: Object.keys(MAJORITIES) },
    {
      type: 'array',
      items: closed({
        share: text('an exact fraction, as "> 1/2" or ">= 2/3"'),
        of: oneOf(BASES, 'what it is a part of'),
        by: Type.Optional(oneOf(['heads', 'weight', 'groups'], 'what is counted; default weight where weighted')),
      }),
    },
  ],
});

const QuorumRule = closed(
  {
    share: Type.Optional(text('of all who may vote, as ">= 1/2"')),
    number: Type.Optional(whole('at least so many')),
    count: Type.Optional(oneOf(['present', 'cast'], 'devices connected (default), or ballots')),
    at: Type.Optional(oneOf(['open', 'close', 'both'], 'when it is looked at; default close')),
    by: Type.Optional(oneOf(['heads', 'weight'], 'default weight where weighted')),
  },
  'how many must take part: a share or a number',
);

const settings = {
  room: Type.Optional(id('the room in which it is asked; `vote/room/<room>` then means this poll while it is open')),
  title: Type.String({ description: `the question, at most ${MAX_TITLE_LENGTH} characters` }),
  kind: Type.Optional(oneOf(KIND_NAMES, 'what a vote is; default single')),
  options: Type.Optional(
    Type.Array(Option, { maxItems: MAX_OPTIONS, description: 'possible answers; kinds that need none say so' }),
  ),

  revote: Type.Optional(
    Type.Unsafe<Revote>({
      type: 'string',
      description: 'which vote of a voter counts: last (default), first, "max 3"',
    }),
  ),
  withdraw: Type.Optional(flag('whether a voter may take the ballot back, with the choice "-"')),
  visibility: Type.Optional(oneOf(VISIBILITIES, 'who sees figures; default live. May be changed at any time')),
  eligible: Type.Optional(
    Type.Unsafe<Eligible>({
      description: 'who may vote: anyone (default), registered devices, guests, or a list of groups of devices',
      oneOf: [
        { type: 'string', enum: ['anyone', 'registered', 'guests'] },
        { type: 'array', items: { type: 'string' } },
      ],
    }),
  ),
  weighted: Type.Optional(flag('whether devices count by their weight')),
  byGroup: Type.Optional(flag('whether the result is also told by group')),
  secrecy: Type.Optional(oneOf(SECRECIES, 'whose a ballot is: named (default), pseudonymous, secret')),
  minGroup: Type.Optional(whole('secret: groups of fewer voters are not told apart; default 5')),
  majority: Type.Optional(MajorityRule),
  quorum: Type.Optional(QuorumRule),
  entitled: Type.Optional(
    closed(
      { heads: Type.Optional(whole('how many')), weight: Type.Optional(text('what they weigh together, as text')) },
      'all who may vote, where registered devices do not tell',
    ),
  ),
  tieBreak: Type.Optional(oneOf(TIE_BREAKS, 'none (default): a tie is a tie; order: the first option; lot')),
  seed: Type.Optional(text('tieBreak lot: what it is drawn from; drawn at the opening when left out')),
  opensAt: Type.Optional(text('opened by itself at this instant, as 2026-05-01T18:30:00Z')),
  closesAt: Type.Optional(text('closed by itself at this instant')),
  durationMs: Type.Optional(whole('closed by itself so long after its opening, ms')),
  lateGraceMs: Type.Optional(
    whole('how long after the close votes count that were pressed before it (their "t"), marked as late, ms'),
  ),

  min: Type.Optional(number('multiple, ranking: fewest options; rating, score: lowest grade; numeric: lowest number')),
  max: Type.Optional(number('multiple, ranking: most options; rating, score: highest grade; numeric: highest number')),
  none: Type.Optional(flag('single, multiple: also offer none of the above')),
  abstain: Type.Optional(flag('motion: offer to abstain; default true')),
  shareOf: Type.Optional(oneOf(['voters', 'selections'], 'multiple: what shares are of; default voters')),
  items: Type.Optional(Type.Array(Option, { description: 'rating: several things to rate' })),
  top: Type.Optional(whole('rating: how many of the highest grades are the top box; default 1')),
  decimals: Type.Optional(whole('numeric: digits after the point; default 0')),
  unit: Type.Optional(text('numeric: what the numbers are in')),
  bins: Type.Optional(whole('numeric: bars of the histogram; default 10')),
  trim: Type.Optional(number('numeric: share left out at each end for the trimmed mean; default 0.1')),
  answer: Type.Optional(number('numeric: the right number; told once the round is final')),
  tolerance: Type.Optional(number('numeric: how far from the answer is right still; default 0')),
  proximity: Type.Optional(
    number('numeric: how far beyond that a guess is worth something, less the further; default 0'),
  ),
  budget: Type.Optional(whole('points: how many a voter has; default 10')),
  spend: Type.Optional(oneOf(['all', 'up-to'], 'points: whether all must be spent; default up-to')),
  method: Type.Optional(
    oneOf(
      ['irv', 'stv', 'borda', 'condorcet', 'score', 'star'],
      'ranking: irv (default), stv, borda, condorcet; score: score (default), star',
    ),
  ),
  seats: Type.Optional(whole('ranking by stv: how many are elected; default 1')),
  variant: Type.Optional(
    oneOf(['standard', 'modified', 'averaged', 'dowdall'], 'ranking by borda: what places are worth; default standard'),
  ),
  question: Type.Optional(
    oneOf(['single', 'multiple', 'ordering', 'short'], 'quiz: what is asked for; default single'),
  ),
  correct: Type.Optional(texts('quiz: the right keys; told once the round is final')),
  accept: Type.Optional(texts('quiz, short answer: the forms that are right; told once the round is final')),
  credit: Type.Optional(
    oneOf(['strict', 'balanced', 'per-option'], 'quiz: what is partly right; default strict: nothing'),
  ),
  points: Type.Optional(whole('quiz, numeric with an answer: points for a right one; default 1000')),
  speed: Type.Optional(number('quiz, numeric with an answer: share of the points that the slowest loses, 0 to 1')),
  maxLength: Type.Optional(whole('text: characters of a phrase; default 40')),
  maxPhrases: Type.Optional(whole('text: phrases of a vote; default 3')),
  stop: Type.Optional(texts('text: phrases that are refused')),
  moderation: Type.Optional(
    closed(
      {
        hide: Type.Optional(texts('phrases that are not shown')),
        merge: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'phrases counted as another' })),
      },
      'text: what operators made of the phrases. May be changed at any time',
    ),
  ),
  windowMs: Type.Optional(whole('pulse: how long a press counts, ms; default 60000')),
};

export const NewPoll = closed({ poll: id('the poll’s id'), ...settings });
export const PollPatch = Type.Partial(Type.Object(settings), { additionalProperties: false });

export const PollParams = Type.Object({ poll: id('a poll') });
export const RoomParams = Type.Object({ room: id('a room') });
export const NewRehearsal = Type.Partial(
  Type.Object({
    devices: Type.Integer({
      minimum: 1,
      maximum: REHEARSAL_LIMITS.devices,
      description: 'how many devices; default 200',
    }),
    seconds: Type.Integer({
      minimum: 1,
      maximum: REHEARSAL_LIMITS.seconds,
      description: 'time over which their votes come in; default 10',
    }),
  }),
  { additionalProperties: false },
);
export const DeviceParams = Type.Object({ device: id('a device') });
const pollList = Type.String({ description: 'poll ids, separated by commas' });
export const StreamQuery = Type.Object({ polls: pollList });
export const RoundQuery = Type.Object({
  round: Type.Optional(Type.Integer({ minimum: 1, description: 'an earlier round; default the current one' })),
});

const Mandate = closed({
  mandate: id('whose vote it is'),
  weight: Type.Optional(text('a number as text; default 1')),
  group: Type.Optional(id('its group')),
});

const deviceSettings = {
  label: Type.Optional(Type.String({ maxLength: 100 })),
  group: Type.Optional(id('a group of devices: a team, a chamber')),
  weight: Type.Optional(text('what its vote weighs, a number as text; default 1; 0: it only carries mandates')),
  mandates: Type.Optional(Type.Array(Mandate, { maxItems: 100, description: 'votes it casts for others' })),
};

export const NewDevice = closed({
  device: id('the device’s id, also its MQTT client id and user name'),
  ...deviceSettings,
  secret: Type.Optional(
    Type.String({ description: 'at least 16 characters; when absent, one is made and answered once' }),
  ),
});
const lent = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  minLength: 1,
  maxLength: 100,
  description: 'who it is lent to; null: it is back',
});
/** As at the registration, or null to take it away. */
const orNull = <T extends string>(about: string) =>
  Type.Unsafe<T | null>({ type: ['string', 'null'], maxLength: 100, description: about });
const taken = { label: orNull('null: none'), group: orNull('null: none'), weight: orNull('null: 1') };
export const DevicePatch = Type.Partial(Type.Object({ ...deviceSettings, ...taken, lentTo: lent }), {
  additionalProperties: false,
  minProperties: 1,
});
export const DeviceImport = closed({ devices: Type.Array(NewDevice, { minItems: 1, maxItems: MAX_DEVICES }) });

import * as Type from 'typebox';
import { MajoritySchema, QuorumSchema } from './majority.ts';
import { MAX_OPTIONS, type Option, OptionSchema } from './option.ts';
import { boolean, closed, type Frozen, id, integer, oneOf, string } from './schema.ts';

/** Which of a voter’s votes counts: the last, the first, or the last of at most n. */
export type Revote = 'last' | 'first' | `max ${number}`;

/** The number of votes that a voter may cast, each replacing the previous one; undefined if the text is not a revote rule. */
export function votesAllowed(revote: string): number | undefined {
  if (revote === 'last') return Number.POSITIVE_INFINITY;
  if (revote === 'first') return 1;
  const [, most] = /^max ([1-9]\d{0,2})$/.exec(revote) ?? [];
  return most === undefined ? undefined : Number(most);
}

/**
 * Who may see results, apart from operators. `live`: everyone, at any time · `turnout`: everyone sees how many voted, but
 * nobody ever sees what they voted for · `voted`: those who have voted, and everyone once the round is final · `closed`:
 * everyone once the round is final · `operator`: nobody, and the turnout is hidden too.
 */
export const VISIBILITIES = ['live', 'turnout', 'voted', 'closed', 'operator'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** The visibilities that a poll may have. In a secret poll, figures that move with each vote would reveal who voted for what. */
export function allowedVisibilities({ secrecy }: { readonly secrecy?: Secrecy | undefined }): readonly Visibility[] {
  return secrecy === 'secret' ? VISIBILITIES.filter((one) => one !== 'live' && one !== 'voted') : VISIBILITIES;
}

/** Who may vote: any connected client, registered devices, guests, or registered voters of the listed groups. */
export type Eligible = 'anyone' | 'registered' | 'guests' | readonly string[];

/**
 * `named`: ballots carry the device’s id · `pseudonymous`: they carry a keyed hash of it, and the key is kept · `secret`: they
 * carry a keyed hash whose key is destroyed when the round is closed, and no results are shown before the round is final.
 */
export const SECRECIES = ['named', 'pseudonymous', 'secret'] as const;
export type Secrecy = (typeof SECRECIES)[number];

/** How a tie is broken: not at all, by the order of the options, or by lot with a published seed. */
export const TIE_BREAKS = ['none', 'order', 'lot'] as const;

export const MAX_TITLE_LENGTH = 300;

/** Settings that every kind of poll may have. */
export const commonSettings = {
  room: Type.Optional(id('the room of the poll; votes sent to `vote/room/<room>` are for this poll while it is open')),
  title: Type.String({ description: `the question, at most ${MAX_TITLE_LENGTH} characters` }),
  options: Type.Optional(
    Type.Array(OptionSchema, { maxItems: MAX_OPTIONS, description: 'possible answers; some kinds have none' }),
  ),
  revote: Type.Optional(
    Type.Unsafe<Revote>({
      type: 'string',
      description: 'which vote of a voter counts: last (default), first, or the last of at most n, such as "max 3"',
    }),
  ),
  withdraw: Type.Optional(boolean('whether voters may withdraw their ballot by voting "-"')),
  visibility: Type.Optional(
    oneOf(
      VISIBILITIES,
      'who sees results; default voted, in a pulse live, with a right answer or secret ballots closed. May be changed at any time',
    ),
  ),
  eligible: Type.Optional(
    Type.Unsafe<Eligible>({
      description: 'who may vote: anyone (default), registered devices, guests, or a list of device groups',
      oneOf: [
        { type: 'string', enum: ['anyone', 'registered', 'guests'] },
        { type: 'array', items: { type: 'string' } },
      ],
    }),
  ),
  weighted: Type.Optional(boolean('whether each vote counts with the weight of its device')),
  byGroup: Type.Optional(boolean('whether results are also shown by group')),
  secrecy: Type.Optional(oneOf(SECRECIES, 'how ballots identify the voter: named (default), pseudonymous or secret')),
  minGroup: Type.Optional(integer('secret polls: groups with fewer voters are merged; default 5')),
  majority: Type.Optional(MajoritySchema),
  quorum: Type.Optional(QuorumSchema),
  entitled: Type.Optional(
    closed(
      {
        heads: Type.Optional(integer('the number of voters')),
        weight: Type.Optional(string('the total weight of the voters, as text')),
      },
      'the size of the electorate, if it does not follow from the registered devices',
    ),
  ),
  tieBreak: Type.Optional(
    oneOf(
      TIE_BREAKS,
      'how ties are broken: none (not at all; default), order (the option listed first wins) or lot (by lot)',
    ),
  ),
  seed: Type.Optional(string('tieBreak lot: the seed; generated at the opening if omitted')),
  opensAt: Type.Optional(string('when the poll opens automatically, such as 2026-05-01T18:30:00Z')),
  closesAt: Type.Optional(string('when the poll closes automatically')),
  durationMs: Type.Optional(integer('how long in ms after the opening the poll closes automatically')),
  lateGraceMs: Type.Optional(
    integer(
      'how long in ms after the close to accept votes cast before it (according to their "t"); they are marked as late',
    ),
  ),
};

const CommonSchema = closed(commonSettings);

/** The settings common to polls of every kind. The defaults of `options`, `revote` and `visibility` are filled in. */
export type Common = Omit<Frozen<Type.Static<typeof CommonSchema>>, 'options' | 'revote' | 'visibility'> & {
  readonly poll: string;
  readonly options: readonly Option[];
  readonly revote: Revote;
  readonly visibility: Visibility;
};

import { Type } from 'typebox';
import { JOIN_BY } from '../../../core/devices/guests/guest-room.ts';
import { MAX_CODE_NUMBER, ROOM_CODE } from '../../../core/devices/guests/join-codes.ts';
import { closed, oneOf } from '../../../core/voting/rules/schema.ts';

/** The schemas of request bodies about guests. */

/** The maximum number of codes in an answer. */
export const MAX_CODES = 5_000;
/** The highest number of guests that can be expected from one address. */
const MAX_EXPECTED = 1_000_000;

export const JoinSchema = closed({
  code: Type.Optional(Type.String({ maxLength: 100, description: 'the join code, where the room asks for one' })),
  proof: Type.Optional(
    closed({
      challenge: Type.String({ maxLength: 100, description: 'the challenge of the answer with status 429' }),
      nonce: Type.String({
        maxLength: 16,
        description:
          'digits, so that SHA-256 of `<challenge>:<nonce>` begins with as many zero bits as the second part of the challenge says',
      }),
    }),
  ),
});

export const GuestRoomSchema = Type.Partial(
  Type.Object({
    joinBy: oneOf(
      JOIN_BY,
      'who may join: anyone, those who know the room’s code, or each guest with a code of its own',
    ),
    code: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      minLength: ROOM_CODE.min,
      maxLength: ROOM_CODE.max,
      description: 'the room’s code, letters and digits; null makes a new one',
    }),
    expected: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      minimum: 1,
      maximum: MAX_EXPECTED,
      description: 'how many guests are expected from one address; null: POLLCAST_GUESTS_PER_ADDRESS',
    }),
  }),
  { additionalProperties: false, minProperties: 1 },
);

export const CodesSchema = closed({
  count: Type.Integer({ minimum: 1, maximum: MAX_CODES, description: 'how many codes' }),
  first: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_CODE_NUMBER, description: 'the number of the first one; default: 1' }),
  ),
});

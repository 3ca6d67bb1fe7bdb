import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { JoinCodesAnswer, RoomGuestsAnswer } from '../../../client/answers.ts';
import type { GuestRoom } from '../../../core/devices/guests/guest-room.ts';
import { MAX_CODE_NUMBER, newRoomCode, plainCode, ROOM_CODE } from '../../../core/devices/guests/join-codes.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import type { Context } from '../context.ts';
import { CodesSchema, GuestRoomSchema } from '../schemas/guests.ts';
import { demandRoomName, RoomParams } from '../schemas/params.ts';

const tags = ['guests'];

/** How guests get into a room: by whom, how many are expected, their codes, and revoking all of them. Operators only. */
export function roomGuestRoutes({ guests, joining, recorder, publicUrl }: Context): FastifyPluginAsyncTypebox {
  const describe = (room: string): RoomGuestsAnswer => {
    const { joinBy = 'anyone', code = null, expected = null } = guests.room(room) ?? {};
    const atMs = guests.eventAtMs(room);
    return { room, joinBy, code, expected, since: atMs === undefined ? null : new Date(atMs).toISOString() };
  };

  return async (app) => {
    app.get(
      '/api/rooms/:room/guests',
      { schema: { summary: 'How guests get into a room', tags, params: RoomParams } },
      async ({ params: { room } }) => {
        demandRoomName(room);
        joining.demandRoom(room);
        return describe(room);
      },
    );

    app.patch(
      '/api/rooms/:room/guests',
      {
        schema: {
          summary: 'Set who may join a room, with which code, and how many guests are expected from one address',
          tags,
          params: RoomParams,
          body: GuestRoomSchema,
        },
      },
      async (request) => {
        const { room } = request.params;
        const { joinBy, code, expected } = request.body;
        demandRoomName(room);
        const before = guests.room(room);
        const needsCode = code === null || (joinBy === 'code' && code === undefined && !guests.room(room)?.code);
        const changes: GuestRoom = {
          ...(joinBy === undefined ? {} : { joinBy }),
          ...(typeof code === 'string' ? { code: checked(code) } : needsCode ? { code: newRoomCode() } : {}),
          ...(expected === undefined ? {} : { expected: expected ?? undefined }),
        };
        await guests.change(room, changes);
        const settings = ({ joinBy, expected }: GuestRoom = {}) => ({ joinBy, expected });
        recorder.note(request, { before: settings(before), after: settings(guests.room(room)) });
        return describe(room);
      },
    );

    app.delete(
      '/api/rooms/:room/guests',
      {
        schema: {
          summary: 'Revoke all guests and single codes of a room: a new event begins there',
          tags,
          params: RoomParams,
        },
      },
      async ({ params: { room } }) => {
        demandRoomName(room);
        joining.demandRoom(room);
        await guests.revokeRoom(room);
        return describe(room);
      },
    );

    app.post(
      '/api/rooms/:room/codes',
      {
        schema: {
          summary: 'Codes for single guests of a room (`joinBy: codes`), valid until its guests are revoked',
          tags,
          params: RoomParams,
          body: CodesSchema,
        },
      },
      async (request): Promise<JoinCodesAnswer> => {
        const { room } = request.params;
        const { count, first = 1 } = request.body;
        demandRoomName(room);
        joining.demandRoom(room);
        if (first + count - 1 > MAX_CODE_NUMBER) {
          throw new Refusal('bad-guest-room', `codes have numbers up to ${MAX_CODE_NUMBER}; ask for fewer`);
        }
        const address = publicUrl === '' ? null : `${publicUrl}/vote/${room}`;
        const codes = await guests.codes(room, first, count);
        recorder.note(request, { after: { first, count } });
        return { room, codes: codes.map((one) => ({ ...one, url: address && `${address}#code=${one.code}` })) };
      },
    );
  };
}

/** The code as it was chosen. @throws Refusal bad-guest-room */
function checked(code: string): string {
  const plain = plainCode(code);
  if (/^[0-9A-Z]+$/.test(plain) && plain.length >= ROOM_CODE.min) return code.trim();
  const why = `a join code must have at least ${ROOM_CODE.min} letters from A to Z and digits, besides spaces and hyphens`;
  throw new Refusal('bad-guest-room', why);
}

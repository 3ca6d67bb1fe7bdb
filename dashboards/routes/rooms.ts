import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IDENTIFIER_RULE, isIdentifier } from '../../core/voting/identifier.ts';
import { receiptTopic, roomTopic } from '../../core/voting/topics.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem.ts';
import { RoomParams } from '../schemas.ts';
import { beginStream } from '../sse/begin.ts';

/** Guests that one address may bring per minute: a hall behind one router is one address. */
const JOINS_PER_MINUTE = 600;

/** Rooms: what is asked there now, and joining as a guest. */
export function roomRoutes({ guests, polls, hub, operators, publicUrl }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/rooms/:room',
      { schema: { summary: 'The room’s current poll, and where phones join', tags: ['rooms'], params: RoomParams } },
      async ({ params: { room } }) => {
        demandRoom(room);
        const poll = polls.inRoom(room)?.definition.poll ?? null;
        return { room, poll, joinUrl: publicUrl === '' ? null : `${publicUrl}/vote/${room}` };
      },
    );

    app.get(
      '/api/rooms/:room/stream',
      {
        schema: {
          summary: 'The result of the room’s current poll as it moves (server-sent events)',
          tags: ['rooms'],
          params: RoomParams,
        },
      },
      async (request, reply) => {
        const { room } = request.params;
        demandRoom(room);
        const audience = operators.isOperator(request) ? 'operator' : 'public';
        await hub.watchRoom(beginStream(request, reply, hub), room, audience);
      },
    );

    app.post(
      '/api/rooms/:room/join',
      {
        config: { rateLimit: { max: JOINS_PER_MINUTE, timeWindow: '1 minute' } },
        schema: { summary: 'Guest credentials for a phone', tags: ['rooms'], params: RoomParams },
      },
      async ({ params: { room } }, reply) => {
        demandRoom(room);
        const { device, password } = await guests.issue();
        const topics = { vote: `vote/room/${room}`, room: roomTopic(room), receipts: receiptTopic(device) };
        return reply
          .code(201)
          .send({ device, clientId: device, username: device, password, webSocket: '/mqtt', topics });
      },
    );
  };
}

function demandRoom(room: string): void {
  if (!isIdentifier(room)) throw new Problem(400, 'bad-room', `a room must be ${IDENTIFIER_RULE}`);
}

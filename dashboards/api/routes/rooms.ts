import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { JoinAnswer, RoomAnswer } from '../../../client/answers.ts';
import { prefixOf } from '../../../core/process/prefix.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../../../core/voting/rules/text/identifier.ts';
import { receiptTopic, roomTopic } from '../../../core/voting/rules/topics.ts';
import { startStream } from '../../sse/begin.ts';
import type { Context } from '../context.ts';
import { RoomParams, StreamQuery } from '../schemas/params.ts';

/**
 * The number of guests that may join from one address per minute. It is high because everybody in a hall may share the address
 * of its router.
 */
const JOINS_PER_MINUTE = 600;

/** Rooms: their current poll, and how guests join. */
export function roomRoutes({ guests, polls, hub, operators, publicUrl }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/rooms/:room',
      { schema: { summary: 'The room’s current poll, and where phones join', tags: ['rooms'], params: RoomParams } },
      async ({ params: { room } }) => {
        demandRoomName(room);
        const poll = polls.inRoom(room)?.definition.poll ?? null;
        const answer: RoomAnswer = { room, poll, joinUrl: publicUrl === '' ? null : `${publicUrl}/vote/${room}` };
        return answer;
      },
    );

    app.get(
      '/api/rooms/:room/stream',
      {
        schema: {
          summary: 'The result of the room’s current poll as it changes (server-sent events)',
          tags: ['rooms'],
          params: RoomParams,
          querystring: StreamQuery,
        },
      },
      async (request, reply) => {
        const { room } = request.params;
        demandRoomName(room);
        const audience = operators.isOperator(request) ? 'operator' : 'public';
        const connection = startStream(request, reply, hub);
        if (connection) await hub.watchRoom(connection, room, audience);
      },
    );

    app.post(
      '/api/rooms/:room/join',
      {
        config: { rateLimit: { max: JOINS_PER_MINUTE, timeWindow: '1 minute' } },
        schema: { summary: 'Issue guest credentials for a phone', tags: ['rooms'], params: RoomParams },
      },
      async ({ params: { room } }, reply) => {
        demandRoomName(room);
        const { device, password } = await guests.issue();
        const topics = { vote: `vote/room/${room}`, room: roomTopic(room), receipts: receiptTopic(device) };
        const webSocket = `${prefixOf(publicUrl)}/mqtt`;
        const answer: JoinAnswer = { device, clientId: device, username: device, password, webSocket, topics };
        return reply.code(201).send(answer);
      },
    );
  };
}

function demandRoomName(room: string): void {
  if (!isIdentifier(room)) throw new Refusal('bad-room', `a room name must be ${IDENTIFIER_RULE}`);
}

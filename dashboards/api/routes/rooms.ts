import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { JoinAnswer, RoomAnswer } from '../../../client/answers.ts';
import { prefixOf } from '../../../core/process/prefix.ts';
import { StoreError } from '../../../core/store/error.ts';
import { receiptTopic, roomTopic } from '../../../core/voting/rules/topics.ts';
import { startStream } from '../../sse/opening/begin.ts';
import type { Context } from '../context.ts';
import { JoinSchema } from '../schemas/guests.ts';
import { demandRoomName, RoomParams, StreamQuery } from '../schemas/params.ts';

/** Rooms: their current poll, and how guests join. */
export function roomRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { store, guests, joining, polls, hub, operators, operatorStreams, publicUrl, door } = context;

  return async (app) => {
    app.get(
      '/api/rooms/:room',
      { schema: { summary: 'The room’s current poll, and where phones join', tags: ['rooms'], params: RoomParams } },
      async (request) => {
        const { room } = request.params;
        demandRoomName(room);
        const poll = polls.inRoom(room)?.definition.poll ?? null;
        const { joinBy, code } = guests.room(room) ?? {};
        const joinCode = joinBy === 'code' && operators.mayPresentRoom(request, room, door) ? { joinCode: code } : {};
        const joinUrl = publicUrl === '' ? null : `${publicUrl}/vote/${room}`;
        const answer: RoomAnswer = { room, poll, joinUrl, exists: joining.hasRoom(room), ...joinCode };
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
        const audience = operators.seesFigures(request, room) ? 'operator' : 'public';
        const operator = operators.signedIn(request);
        const connection = startStream(request, reply, hub, { isOperator: operator !== undefined, room });
        if (!connection) return;
        operatorStreams.follow(operator, connection.socket);
        await hub.watchRoom(connection, room, audience);
      },
    );

    app.post(
      '/api/rooms/:room/join',
      {
        // The body may be left out.
        preValidation: async (request) => {
          request.body ??= {};
        },
        schema: {
          summary:
            'Issue guest credentials for a phone. With status 429, the answer has a `challenge`, for which the phone computes a proof of work',
          tags: ['rooms'],
          params: RoomParams,
          body: JoinSchema,
        },
      },
      async ({ params: { room }, body: { code, proof }, ip: address }, reply) => {
        demandRoomName(room);
        // Votes could not be stored either.
        if (!store.condition().ok) throw new StoreError('the store takes no entries');
        const { device, password, expiresAtMs } = await joining.join({ room, address, code, proof });
        const topics = { vote: `vote/room/${room}`, room: roomTopic(room), receipts: receiptTopic(device) };
        const webSocket = `${prefixOf(publicUrl)}/mqtt`;
        const answer: JoinAnswer = {
          ...{ device, clientId: device, username: device, password, webSocket, topics },
          expiresAt: new Date(expiresAtMs).toISOString(),
        };
        return reply.code(201).send(answer);
      },
    );
  };
}

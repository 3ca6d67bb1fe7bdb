import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IDENTIFIER_RULE, isIdentifier } from '../../core/voting/identifier.ts';
import { receiptTopic, roomTopic } from '../../core/voting/topics.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem.ts';
import { RoomParams } from '../schemas.ts';

/** Guests that one address may bring per minute: a hall behind one router is one address. */
const JOINS_PER_MINUTE = 600;

/** Joining a room as a guest. */
export function roomRoutes({ guests }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/api/rooms/:room/join',
      {
        config: { rateLimit: { max: JOINS_PER_MINUTE, timeWindow: '1 minute' } },
        schema: { summary: 'Guest credentials for a phone', tags: ['rooms'], params: RoomParams },
      },
      async ({ params: { room } }, reply) => {
        if (!isIdentifier(room)) throw new Problem(400, 'bad-room', `a room must be ${IDENTIFIER_RULE}`);
        const { device, password } = await guests.issue();
        const topics = { vote: `vote/room/${room}`, room: roomTopic(room), receipts: receiptTopic(device) };
        return reply
          .code(201)
          .send({ device, clientId: device, username: device, password, webSocket: '/mqtt', topics });
      },
    );
  };
}

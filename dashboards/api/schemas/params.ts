import { Type } from 'typebox';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { id } from '../../../core/voting/rules/schema.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../../../core/voting/rules/text/identifier.ts';

/** Path and query parameters. */

export const PollParams = Type.Object({ poll: id('the id of a poll') });
export const RoomParams = Type.Object({ room: id('the name of a room') });
export const DeviceParams = Type.Object({ device: id('the id of a device') });
export const PollsQuery = Type.Object({ polls: Type.String({ description: 'poll ids, separated by commas' }) });
/** How a viewer wants its stream. */
export const StreamQuery = Type.Object({
  changes: Type.Optional(
    Type.Literal('compact', {
      description: '`compact`: changes of numbers as what is added to them; see docs/STREAMS.md',
    }),
  ),
});
export const StreamsQuery = Type.Object({ ...PollsQuery.properties, ...StreamQuery.properties });
export const RoundQuery = Type.Object({
  round: Type.Optional(Type.Integer({ minimum: 1, description: 'an earlier round; default: the current one' })),
});

/** @throws Refusal bad-room */
export function demandRoomName(room: string): void {
  if (!isIdentifier(room)) throw new Refusal('bad-room', `a room name must be ${IDENTIFIER_RULE}`);
}

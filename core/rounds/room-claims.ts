import type { Registry } from '../store/store.ts';
import { isUnderWay, type Poll } from '../voting/poll/poll.ts';

/** The poll that holds a room. */
interface RoomClaim {
  readonly poll: string;
}

/**
 * Claims the room of a poll. Only one poll at a time can be open in a room.
 *
 * @returns the id of the poll that already holds the room; undefined if the claim succeeded
 */
export async function claimRoom(registry: Registry, { definition }: Poll): Promise<string | undefined> {
  const { poll, room } = definition;
  if (room === undefined) return undefined;
  for (;;) {
    const claim = await registry.get<RoomClaim>('rooms', room);
    if (claim && claim.value.poll !== poll && (await isOpenIn(registry, claim.value.poll, room))) {
      return claim.value.poll;
    }
    if (await registry.put<RoomClaim>('rooms', room, { poll }, claim?.version ?? 0)) return undefined;
  }
}

async function isOpenIn(registry: Registry, id: string, room: string): Promise<boolean> {
  const found = await registry.get<Poll>('polls', id);
  if (!found || found.value.deleted) return false;
  return found.value.definition.room === room && isUnderWay(found.value.status);
}

import type { Ballot } from './ballot.ts';
import { readCast } from './cast.ts';
import type { Vote } from './vote.ts';

/** How many packets of a voter a ballot remembers. A device that has more votes under way should number them (`n`). */
export const MAX_PACKETS = 16;

/** A packet is its packet id times this, plus a hash. */
const HASHES = 2 ** 32;

/** A packet as it is logged: its MQTT packet id (up to 16 bits) and a hash of its content (32 bits), as one safe integer. */
export function packetOf(id: number, hash: number): number {
  return id * HASHES + (hash >>> 0);
}

/** The two parts of a packet. */
export function partsOf(packet: number): { id: number; hash: number } {
  return { id: idOf(packet), hash: packet % HASHES };
}

function idOf(packet: number): number {
  return Math.floor(packet / HASHES);
}

/**
 * True if the vote is a packet that the ballot remembers, sent again. Many clients send a packet again after they have
 * reconnected, and not all of them set DUP as MQTT demands [MQTT-3.3.1-1]. In a poll whose votes expire, a vote without DUP
 * counts nevertheless: a clicker that starts anew for each press repeats both packet ids and payloads, and each of its presses
 * renews the vote.
 */
export function isCopy(vote: Vote, { packets, connection = 0 }: Ballot): boolean {
  if (vote.packet === undefined || !packets?.includes(vote.packet)) return false;
  if (vote.dup) return true;
  const isLater = (vote.connection ?? 0) > connection;
  return isLater && vote.mayRepeat === true && readCast(vote.choice).second === undefined;
}

/** The packets to remember after a vote that was counted; undefined if there are none. */
export function packetsAfter(vote: Vote, before: Ballot | undefined): readonly number[] | undefined {
  const known = before?.packets ?? [];
  const [of, last] = [vote.connection ?? 0, before?.connection ?? 0];
  // A client uses a packet id again only after the acknowledgement of its last packet with that id.
  const id = vote.packet === undefined ? undefined : idOf(vote.packet);
  const packets = of > last ? [] : known.filter((packet) => idOf(packet) !== id);
  if (vote.packet !== undefined && of >= last) packets.push(vote.packet);
  if (packets.length > MAX_PACKETS) packets.splice(0, packets.length - MAX_PACKETS);
  return packets.length === 0 ? undefined : packets;
}

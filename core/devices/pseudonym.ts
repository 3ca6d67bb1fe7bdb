import { createHmac, randomBytes } from 'node:crypto';
import { packetOf, partsOf } from '../voting/count/packet.ts';
import type { Vote } from '../voting/count/vote.ts';

/** Sequence and connection numbers are shifted by less than this, so that they remain safe integers. */
const OFFSETS = 2 ** 40;
/** The highest sequence number that can be shifted without losing precision. */
export const MAX_BLIND_SEQUENCE = Number.MAX_SAFE_INTEGER - OFFSETS;

/** A new key for a round's pseudonyms. */
export function newPseudonymKey(): string {
  return randomBytes(32).toString('base64url');
}

/** A voter’s pseudonym in the log: a truncated keyed hash. Only someone with the key can link it to the voter. */
export function pseudonymOf(key: string, voter: string): string {
  return digest(key, 'voter', voter).toString('base64url').slice(0, 22);
}

/**
 * The vote under its voter’s pseudonym. Sequence and connection numbers could identify the device across polls, so they are
 * shifted by amounts derived from the device, which preserves their order. Packet ids could as well, so both parts of a packet
 * are replaced by keyed hashes, which preserves which are equal. The press time is omitted.
 */
export function pseudonymised(key: string, vote: Vote): Vote {
  const { choice, dup, n, connection, packet, mayRepeat } = vote;
  // Each number has its own shift: with a common shift, the difference between the two would still identify the device.
  const shift = (purpose: string, number: number | undefined) =>
    number === undefined ? undefined : number + digest(key, purpose, vote.device).readUIntBE(0, 5);
  return {
    device: pseudonymOf(key, vote.device),
    choice,
    dup,
    n: shift('n', n),
    connection: shift('connection', connection),
    packet: packet === undefined ? undefined : blinded(key, vote.device, packet),
    mayRepeat,
  };
}

function blinded(key: string, voter: string, packet: number): number {
  const { id } = partsOf(packet);
  return packetOf(
    digest(key, 'packet id', `${voter} ${id}`).readUInt16BE(0),
    digest(key, 'packet', `${voter} ${packet}`).readUInt32BE(0),
  );
}

function digest(key: string, purpose: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${purpose} ${text}`).digest();
}

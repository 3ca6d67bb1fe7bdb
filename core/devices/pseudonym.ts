import { createHmac, randomBytes } from 'node:crypto';
import type { Vote } from '../voting/vote.ts';

/** Sequence and connection numbers are moved by less than this: they stay exact. */
const OFFSETS = 2 ** 40;
/** The highest sequence number that can be moved so. */
export const MAX_BLIND_SEQUENCE = Number.MAX_SAFE_INTEGER - OFFSETS;

/** A new key for a round's pseudonyms. */
export function newPseudonymKey(): string {
  return randomBytes(32).toString('base64url');
}

/** What stands for a voter in the log: 128 bits of a keyed hash. Who has the key can find out whose it is, nobody else. */
export function pseudonymOf(key: string, voter: string): string {
  return digest(key, 'voter', voter).toString('base64url').slice(0, 22);
}

/**
 * The vote under its voter's pseudonym. Numbers that would tell the device in other polls are moved by a distance that is
 * the voter's own, so that their order stays; the press time is left out.
 */
export function underPseudonym(key: string, vote: Vote): Vote {
  const { choice, dup, n, connection } = vote;
  // Each number by a distance of its own: their difference would tell as much as they do.
  const move = (purpose: string, number: number | undefined) =>
    number === undefined ? undefined : number + digest(key, purpose, vote.device).readUIntBE(0, 5);
  return {
    device: pseudonymOf(key, vote.device),
    choice,
    dup,
    n: move('n', n),
    connection: move('connection', connection),
  };
}

function digest(key: string, purpose: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${purpose} ${text}`).digest();
}

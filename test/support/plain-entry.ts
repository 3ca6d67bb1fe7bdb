import type { FoundEntry } from '../../core/voting/count/entry.ts';

/** An entry with its votes as objects, to compare it. */
export const plain = (entry: FoundEntry) =>
  entry.type !== 'votes'
    ? entry
    : { ...entry, rounds: entry.rounds.map((round) => ({ ...round, votes: [...round.votes] })) };

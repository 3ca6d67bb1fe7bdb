/**
 * The canonical text of a voter’s choice: `b`, `a,c`, `4`. In the log and in tallies, it includes the attributes of the vote
 * (cast.ts).
 */
export type Choice = string;

/** A multiset of choices: the number of ballots (a positive integer) for each choice. */
export type Tally = Map<Choice, number>;

/**
 * Adds `weight` ballots (fewer than 0 to remove ballots) to a choice and returns its new number of ballots. A choice without
 * ballots is removed from the tally.
 */
export function shift(tally: Tally, choice: Choice, weight: number): number {
  const now = (tally.get(choice) ?? 0) + weight;
  if (now < 0) throw new RangeError(`tally of choice ${JSON.stringify(choice)} would fall to ${now}`);
  if (now === 0) tally.delete(choice);
  else tally.set(choice, now);
  return now;
}

/** The number of ballots in the tally. */
export function total(tally: ReadonlyMap<Choice, number>): number {
  let sum = 0;
  for (const weight of tally.values()) sum += weight;
  return sum;
}

/** The sum of several tallies. */
export function merge(parts: Iterable<ReadonlyMap<Choice, number>>): Tally {
  const sum: Tally = new Map();
  for (const part of parts) for (const [choice, weight] of part) shift(sum, choice, weight);
  return sum;
}

/** The canonical text of what a voter chose: `b`, `a,c`, `4`. On the log and in tallies, with its standing (cast.ts). */
export type Choice = string;

/** A multiset of choices: choice → how many ballots hold it (a positive integer). */
export type Tally = Map<Choice, number>;

/** Adds `weight` (may be negative) to a choice; a choice nobody holds any more leaves the tally. */
export function shift(tally: Tally, choice: Choice, weight: number): number {
  const now = (tally.get(choice) ?? 0) + weight;
  if (now < 0) throw new RangeError(`tally of choice ${JSON.stringify(choice)} would fall to ${now}`);
  if (now === 0) tally.delete(choice);
  else tally.set(choice, now);
  return now;
}

/** The sum of all weights: how many ballots the tally holds. */
export function total(tally: ReadonlyMap<Choice, number>): number {
  let sum = 0;
  for (const weight of tally.values()) sum += weight;
  return sum;
}

/** Adds every tally of `parts` into one. */
export function merge(parts: Iterable<ReadonlyMap<Choice, number>>): Tally {
  const sum: Tally = new Map();
  for (const part of parts) for (const [choice, weight] of part) shift(sum, choice, weight);
  return sum;
}

import type { Ledger } from './ledger.ts';

/** The maximum number of differences to list. */
const MAX_LISTED = 20;

/** How a count compares with the ledger. */
export interface Comparison {
  /** Acknowledged votes that were not counted. */
  readonly lost: number;
  /** Ballots that differ from what their device sent, or that belong to no device. */
  readonly wrong: number;
  /** Devices with more than one ballot. */
  readonly doubled: number;
  /** The number of devices compared. */
  readonly compared: number;
  readonly examples: readonly string[];
}

/**
 * Compares ballots with the ledger, device by device.
 *
 * @param ballots every ballot of the round; ballots of devices whose id does not begin with `prefix` are ignored
 */
export function compareBallots(
  ledger: Ledger,
  ballots: Iterable<readonly [string, string]>,
  prefix: string,
): Comparison {
  const examples: string[] = [];
  const found = new Map<string, string>();
  let [lost, wrong, doubled] = [0, 0, 0];
  for (const [device, choice] of ballots) {
    if (!device.startsWith(prefix)) continue;
    if (found.has(device)) {
      doubled++;
      examples.push(`${device}: has two ballots, ${found.get(device)} and ${choice}`);
    }
    found.set(device, choice);
  }
  const devices = new Set([...ledger.devices, ...found.keys()]);
  for (const device of devices) {
    const expected = ledger.expected(device);
    const choice = found.get(device) ?? null;
    if (expected.includes(choice)) continue;
    if (choice === null) lost++;
    else wrong++;
    const should = expected.map((one) => one ?? 'no ballot').join(' or ');
    examples.push(`${device}: counted ${choice ?? 'no ballot'}, expected ${should}`);
  }
  return { lost, wrong, doubled, compared: devices.size, examples: examples.slice(0, MAX_LISTED) };
}

/**
 * Compares the growth of a tally with the ledger, for callers who may not see ballots. The comparison is valid only if nobody
 * else voted and every vote was acknowledged.
 */
export function compareTallies(
  ledger: Ledger,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Comparison {
  const examples: string[] = [];
  const must = ledger.tally();
  let [lost, wrong] = [0, 0];
  for (const choice of new Set([...must.keys(), ...before.keys(), ...after.keys()])) {
    const grown = (after.get(choice) ?? 0) - (before.get(choice) ?? 0);
    const should = must.get(choice) ?? 0;
    if (grown < should) lost += should - grown;
    if (grown > should) wrong += grown - should;
    if (grown !== should) examples.push(`choice ${choice}: grew by ${grown}, expected ${should}`);
  }
  return { lost, wrong, doubled: 0, compared: ledger.devices.length, examples: examples.slice(0, MAX_LISTED) };
}

/** True if every acknowledged vote was counted exactly once, and nothing else was counted. */
export function isExact({ lost, wrong, doubled }: Comparison): boolean {
  return lost + wrong + doubled === 0;
}

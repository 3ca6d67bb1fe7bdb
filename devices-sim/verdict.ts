import type { Ledger } from './ledger.ts';

/** Differences told one by one; of more, only their number. */
const MAX_TOLD = 20;

export interface Verdict {
  /** Acknowledged votes that are not counted. */
  readonly lost: number;
  /** Ballots that say something else than their device does, or that no device sent. */
  readonly wrong: number;
  /** Devices with more than one ballot. */
  readonly doubled: number;
  /** Devices whose ballot was compared. */
  readonly compared: number;
  readonly examples: readonly string[];
}

/**
 * Compares ballots with the ledger, device by device.
 *
 * @param ballots every ballot of the round; those of devices that do not begin with `prefix` are other people's
 */
export function compareBallots(ledger: Ledger, ballots: Iterable<readonly [string, string]>, prefix: string): Verdict {
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
    examples.push(`${device}: counted ${choice ?? 'no ballot'}, must be ${should}`);
  }
  return { lost, wrong, doubled, compared: devices.size, examples: examples.slice(0, MAX_TOLD) };
}

/**
 * Compares how a tally grew with the ledger, for whoever may not see ballots. Only right when nobody else voted and
 * nothing is left unacknowledged.
 */
export function compareTallies(
  ledger: Ledger,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Verdict {
  const examples: string[] = [];
  const must = ledger.tally();
  let [lost, wrong] = [0, 0];
  for (const choice of new Set([...must.keys(), ...before.keys(), ...after.keys()])) {
    const grown = (after.get(choice) ?? 0) - (before.get(choice) ?? 0);
    const should = must.get(choice) ?? 0;
    if (grown < should) lost += should - grown;
    if (grown > should) wrong += grown - should;
    if (grown !== should) examples.push(`choice ${choice}: grew by ${grown}, must be ${should}`);
  }
  return { lost, wrong, doubled: 0, compared: ledger.devices.length, examples: examples.slice(0, MAX_TOLD) };
}

/** True when every acknowledged vote is counted once and nothing else is. */
export function isExact({ lost, wrong, doubled }: Verdict): boolean {
  return lost + wrong + doubled === 0;
}

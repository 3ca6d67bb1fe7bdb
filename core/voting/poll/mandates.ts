import type { Common } from '../rules/settings.ts';
import { type Elector, votersOf } from './electorate.ts';

/** What is known about a registered device. */
export type Carrier = Omit<Elector, 'isRegistered' | 'isGuest'>;

/** Somebody for whom more than one device would vote. */
export interface DoubleVote {
  /** The mandate, which may also be the id of a device. */
  readonly mandate: string;
  /** The devices that would cast the vote; the first is the one with this id, if there is one. */
  readonly devices: readonly string[];
}

/** Everybody for whom more than one device would vote. @param definition a poll; without it, a poll of all registered devices */
export function doubleVotes(
  devices: Iterable<Carrier>,
  definition: Pick<Common, 'eligible'> = { eligible: 'registered' },
): DoubleVote[] {
  const carriers = new Map<string, string[]>();
  for (const device of devices) {
    for (const mandate of votesFor(device, definition)) {
      const known = carriers.get(mandate);
      if (!known) carriers.set(mandate, [device.device]);
      else if (device.device === mandate) known.unshift(device.device);
      else known.push(device.device);
    }
  }
  return [...carriers].filter(([, by]) => by.length > 1).map(([mandate, by]) => ({ mandate, devices: by }));
}

/** Whom a registered device votes for: itself, unless its weight is 0, and its mandates. */
export function votesFor(device: Carrier, definition: Pick<Common, 'eligible'> = { eligible: 'registered' }): string[] {
  const voters = votersOf({ ...device, isRegistered: true, isGuest: false }, definition);
  return voters.map(({ voter }) => voter.slice(voter.indexOf('/') + 1));
}

/** A double vote as a message that names all devices, and says what to do about it. */
export function doubleVoteProblem({ mandate, devices }: DoubleVote): string {
  const [first, ...others] = devices;
  if (first === mandate) {
    return `mandate ${mandate}: device ${others.join(' and ')} carries it, but device ${mandate} is registered and votes itself; remove the mandate, or give device ${mandate} the weight 0`;
  }
  return `mandate ${mandate}: devices ${devices.join(' and ')} carry it; remove it from all but one`;
}

/** The voters of a device that may not vote in a poll limited to groups, although others of the same device may. */
export function leftOut(elector: Elector, { eligible }: Pick<Common, 'eligible'>): string[] {
  if (!Array.isArray(eligible)) return [];
  const allowed = new Set(votesFor(elector, { eligible }));
  return votesFor(elector).filter((voter) => !allowed.has(voter));
}

import type { Standing } from './cast.ts';
import type { Definition, Poll } from './poll.ts';
import { type Roll, rollOf, type Voter } from './roll.ts';

/** A vote that a device casts for somebody else. */
export interface Mandate {
  readonly mandate: string;
  /** As text; absent: 1. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
}

/** What is known of a device that may matter for its votes. Nothing is known of guests, but that they are. */
export interface Elector {
  readonly device: string;
  /** Registered, and asked for its secret. */
  readonly isRegistered: boolean;
  readonly isGuest: boolean;
  /** Its own weight, as text; absent: 1; `0`: it only carries mandates. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
  readonly mandates?: readonly Mandate[] | undefined;
}

/** The voters that a device casts for: itself, and the mandates it carries; only those who may vote in the poll. */
export function votersOf(elector: Elector, { eligible = 'anyone' }: Definition): Voter[] {
  const { device, isRegistered, isGuest, weight, group, mandates = [] } = elector;
  if (eligible === 'registered' && !isRegistered) return [];
  if (eligible === 'guests' && !isGuest) return [];
  const own: Voter[] = weight === '0' ? [] : [{ voter: device, weight, group }];
  const carried = mandates.map((one) => ({
    voter: mandateVoter(device, one.mandate),
    weight: one.weight,
    group: one.group,
  }));
  const voters = [...own, ...carried];
  if (typeof eligible === 'string') return voters;
  return isRegistered ? voters.filter((voter) => voter.group !== undefined && eligible.includes(voter.group)) : [];
}

/** The id under which a mandate votes: ids hold no slash. */
export function mandateVoter(device: string, mandate: string): string {
  return `${device}/${mandate}`;
}

/** All who may vote; undefined where that cannot be known. @param devices every registered device */
export function electorateOf(
  definition: Definition,
  devices: Iterable<Omit<Elector, 'isRegistered' | 'isGuest'>>,
): Roll | undefined {
  const { eligible = 'anyone' } = definition;
  if (eligible === 'anyone' || eligible === 'guests') return undefined;
  const voters = [...devices].flatMap((device) =>
    votersOf({ ...device, isRegistered: true, isGuest: false }, definition),
  );
  return rollOf(voters);
}

/** Fewest voters that are told apart in a secret poll, where it does not say. */
export const MIN_GROUP = 5;

/** What a voter's choice is cast with: as much as the poll asks for; in a secret poll no group that is small. */
export function standingOf({ weight, group }: Voter, { definition, electorate }: Poll): Standing {
  const { weighted, byGroup, secrecy, minGroup = MIN_GROUP } = definition;
  const isTold = byGroup && group !== undefined && (secrecy !== 'secret' || headsOf(electorate, group) >= minGroup);
  return { weight: weighted ? weight : undefined, group: isTold ? group : undefined };
}

function headsOf(electorate: Roll | undefined, group: string): number {
  return electorate && Object.hasOwn(electorate.groups, group) ? (electorate.groups[group]?.heads ?? 0) : 0;
}

/** True where the poll must know who a device is, and not only what it calls itself. */
export function needsIdentity({ eligible = 'anyone', weighted, byGroup }: Definition): boolean {
  return eligible !== 'anyone' || weighted === true || byGroup === true;
}

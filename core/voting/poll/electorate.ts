import type { CastAttributes } from '../count/cast.ts';
import { type Roll, rollOf, type Voter } from '../rules/roll.ts';
import type { Common } from '../rules/settings.ts';
import type { Poll } from './poll.ts';

/** A vote that a device casts on somebody else’s behalf. */
export interface Mandate {
  readonly mandate: string;
  /** As text; 1 if absent. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
}

/** Everything about a device that affects its votes. For guests, only the id is known. */
export interface Elector {
  readonly device: string;
  /** True if the device is registered and was authenticated by its secret. */
  readonly isRegistered: boolean;
  readonly isGuest: boolean;
  /** The room of a guest, who may not vote in polls of other rooms. */
  readonly room?: string | undefined;
  /** The device’s own weight, as text; 1 if absent. `0` means that it only carries mandates. */
  readonly weight?: string | undefined;
  readonly group?: string | undefined;
  readonly mandates?: readonly Mandate[] | undefined;
}

/** False for a guest of another room. Polls without a room are open to the guests of all rooms. */
export function isInRoom({ room }: Elector, definition: Pick<Common, 'room'>): boolean {
  return room === undefined || definition.room === undefined || room === definition.room;
}

/** The eligible voters that a device votes for: itself and its mandates. */
export function votersOf(elector: Elector, definition: Pick<Common, 'eligible' | 'room'>): Voter[] {
  const { device, isRegistered, isGuest, weight, group, mandates = [] } = elector;
  const { eligible = 'anyone' } = definition;
  if (!isInRoom(elector, definition)) return [];
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

/** The voter id of a mandate. It is unambiguous, because ids cannot contain a slash. */
export function mandateVoter(device: string, mandate: string): string {
  return `${device}/${mandate}`;
}

/** Everyone who may vote; undefined if that is unknown. @param devices all registered devices */
export function electorateOf(
  definition: Pick<Common, 'eligible' | 'room'>,
  devices: Iterable<Omit<Elector, 'isRegistered' | 'isGuest'>>,
): Roll | undefined {
  const { eligible = 'anyone' } = definition;
  if (eligible === 'anyone' || eligible === 'guests') return undefined;
  const voters = [...devices].flatMap((device) =>
    votersOf({ ...device, isRegistered: true, isGuest: false }, definition),
  );
  return rollOf(voters);
}

/** The default minimum size of a group that a secret poll shows separately. */
export const MIN_GROUP = 5;

/**
 * The attributes stored with a voter’s choice. Those that the poll does not use are left out, and so are small groups in a
 * secret poll.
 */
export function castAttributesOf({ weight, group }: Voter, { definition, electorate }: Poll): CastAttributes {
  const { weighted, byGroup, secrecy, minGroup = MIN_GROUP } = definition;
  const isShown = byGroup && group !== undefined && (secrecy !== 'secret' || headsOf(electorate, group) >= minGroup);
  return { weight: weighted ? weight : undefined, group: isShown ? group : undefined };
}

function headsOf(electorate: Roll | undefined, group: string): number {
  return electorate && Object.hasOwn(electorate.groups, group) ? (electorate.groups[group]?.heads ?? 0) : 0;
}

/** True if the poll must know for certain which device votes. A client id is not enough, because anyone may use it. */
export function needsIdentity({ eligible = 'anyone', weighted, byGroup }: Common): boolean {
  return eligible !== 'anyone' || weighted === true || byGroup === true;
}

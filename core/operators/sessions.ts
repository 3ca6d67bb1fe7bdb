import { type GrantedRole, isValidAt, type Operator, ROLES, type Role } from './operator.ts';
import { rightsOf } from './rights.ts';

/** The maximum number of sessions of persons whom an identity provider has signed in. */
export const MAX_SESSIONS = 1_000;
/** The maximum number of sessions of one person; of these, the oldest ends. */
export const MAX_SESSIONS_OF_ONE = 10;
const HOUR_MS = 3_600_000;

/** The settings that sessions of an identity provider depend on: what has changed in them since a session began applies to it, too. */
export interface SessionRules {
  readonly issuer: string;
  readonly clientId: string;
  /** The claim that `roles` maps. */
  readonly roleClaim: string;
  readonly roles: readonly GrantedRole[];
  readonly sessionHours: number;
}

/**
 * A session as it is under the present settings: with the role and rooms that the mapping gives to what was claimed when it began, and
 * not longer than sessions may last. Undefined if it has ended, if the mapping gives no role any more, or if it belongs to another
 * issuer, client or claim. Other operators are returned as they are.
 *
 * @param rules undefined without an identity provider
 */
export function asNow(one: Operator, rules: SessionRules | undefined, nowMs: number): Operator | undefined {
  const { person, claimed, createdAtMs, expiresAtMs = Infinity } = one;
  if (person === undefined) return one;
  const isOurs = rules && claimed && person.issuer === rules.issuer && claimed.clientId === rules.clientId;
  if (!isOurs || claimed.claim !== rules.roleClaim) return undefined;
  const rights = rightsOf(claimed.values, rules.roles);
  if (!rights) return undefined;
  const endMs = Math.min(expiresAtMs, createdAtMs + rules.sessionHours * HOUR_MS);
  const now = { ...one, role: rights.role, rooms: rights.rooms, expiresAtMs: endMs };
  return isValidAt(now, nowMs) ? now : undefined;
}

/**
 * Which sessions end so that another one can begin: the oldest of the same person, and if there are too many of all persons, the
 * oldest of the lowest role. So those with a low role cannot keep out those with a higher one.
 *
 * @param valid the sessions that have not ended
 * @returns undefined if there is no place, because all sessions have higher roles
 */
export function makePlace(
  valid: readonly Operator[],
  { subject, role }: { readonly subject: string; readonly role: Role },
): { readonly own: readonly Operator[]; readonly others: readonly Operator[] } | undefined {
  const byAge = valid.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  const ofOne = byAge.filter((one) => one.person?.subject === subject);
  const own = ofOne.slice(0, Math.max(0, ofOne.length - MAX_SESSIONS_OF_ONE + 1));
  const rest = byAge.filter((one) => !own.includes(one));
  const tooMany = Math.max(0, rest.length - MAX_SESSIONS + 1);
  // Sorting is stable, so those of one role remain in the order of their age.
  const others = rest.toSorted((a, b) => rank(b.role) - rank(a.role)).slice(0, tooMany);
  return others.every((one) => rank(one.role) >= rank(role)) ? { own, others } : undefined;
}

/** The place of a role, from 0 for the highest. */
function rank(role: Role): number {
  return ROLES.indexOf(role);
}

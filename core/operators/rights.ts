import type { GrantedRole, Role } from './operator.ts';

/** What somebody may do. */
export interface Rights {
  readonly role: Role;
  /** Absent for all rooms. */
  readonly rooms?: readonly string[] | undefined;
}

/**
 * What the value of the role claim allows: the first role of the mapping that is given by any value, in all rooms for which a value
 * gives it. Undefined if nothing matches: there is no role that everybody has.
 *
 * @param claimed a text or a list of texts; anything else gives nothing
 */
export function rightsOf(claimed: unknown, mapping: readonly GrantedRole[]): Rights | undefined {
  const values = claimedValues(claimed);
  const given = mapping.filter((one) => values.includes(one.claimed));
  const [first] = given;
  if (!first) return undefined;
  const same = given.filter(({ role }) => role === first.role);
  if (same.some(({ rooms }) => rooms === undefined)) return { role: first.role };
  return { role: first.role, rooms: [...new Set(same.flatMap(({ rooms = [] }) => rooms))] };
}

/** The texts of a claim, which alone can give a role. */
export function claimedValues(claimed: unknown): string[] {
  const values: readonly unknown[] = Array.isArray(claimed) ? claimed : [claimed];
  return values.filter((one) => typeof one === 'string');
}

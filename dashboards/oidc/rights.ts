import type { GrantedRole, Person, Role } from '../../core/operators/operator.ts';

/** What a provider says about somebody: the claims of a token, as JSON. */
export type Claims = Readonly<Record<string, unknown>>;

/** The maximum length of a name in records and lists. */
const MAX_NAME_LENGTH = 64;
/** A subject has up to 255 ASCII characters [OpenID Connect Core 1.0, section 2]; spaces would make records ambiguous. */
const SUBJECT = /^[\x21-\x7e]{1,255}$/;

/** What somebody may do. */
export interface Rights {
  readonly role: Role;
  /** Absent for all rooms. */
  readonly rooms?: readonly string[] | undefined;
}

/** Who the claims are about; undefined if the subject has a form that no provider should use. */
export function personOf(issuer: string, claims: Claims): Person | undefined {
  const { sub } = claims;
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) return undefined;
  const name = [claims.name, claims.preferred_username, claims.email].find((one) => typeof one === 'string') ?? '';
  return { issuer, subject: sub, name: readable(name as string) };
}

/** The value of a claim: the one with exactly this name, or else the one to which the dots in it lead. */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Claims)[part];
  }
  return found;
}

/**
 * What the value of the role claim allows: the first role of the mapping that is given by any value, in all rooms for which a value
 * gives it. Undefined if nothing matches: there is no role that everybody has.
 *
 * @param claimed a text or a list of texts; anything else gives nothing
 */
export function rightsOf(claimed: unknown, mapping: readonly GrantedRole[]): Rights | undefined {
  const values: readonly unknown[] = Array.isArray(claimed) ? claimed : [claimed];
  const given = mapping.filter((one) => values.includes(one.claimed));
  const [first] = given;
  if (!first) return undefined;
  const same = given.filter(({ role }) => role === first.role);
  if (same.some(({ rooms }) => rooms === undefined)) return { role: first.role };
  return { role: first.role, rooms: [...new Set(same.flatMap(({ rooms = [] }) => rooms))] };
}

/** A name without control and direction characters, which could make a record read differently from what it says. */
function readable(name: string): string {
  const clean = name
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return [...clean].slice(0, MAX_NAME_LENGTH).join('');
}

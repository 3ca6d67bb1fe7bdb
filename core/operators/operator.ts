/** What an operator may do. The table in dashboards/api/permissions/table.ts says which requests each role may send. */
export const ROLES = ['admin', 'operator', 'presenter', 'auditor', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** The name under which the token of the deployment itself acts: an admin that cannot be revoked. */
export const ROOT = 'root';
/** Names that records give to those who are not named operators. */
export const RESERVED_NAMES: readonly string[] = [ROOT, 'screen', 'stranger'];

/** The beginning of the names of sessions, under which they are stored, listed and revoked. */
export const SESSION_PREFIX = 'oidc-';

/** A role that the value of a claim gives. */
export interface GrantedRole {
  readonly claimed: string;
  readonly role: Role;
  /** Absent for all rooms. */
  readonly rooms?: readonly string[] | undefined;
}

/** What a session’s role follows from. */
export interface Claimed {
  /** The id under which Pollcast was registered at the issuer. */
  readonly clientId: string;
  /** The name of the claim, such as `groups`. */
  readonly claim: string;
  readonly values: readonly string[];
}

/** Somebody whom an identity provider has identified. */
export interface Person {
  readonly issuer: string;
  /** What identifies the person at the issuer. */
  readonly subject: string;
  /** What the provider calls the person, for reading only; may be empty. */
  readonly name: string;
}

/** An operator as it is stored, or the session of a person. Of the token, only a salted hash is kept. */
export interface Operator {
  /** The name, which is also the first part of the token. */
  readonly operator: string;
  readonly role: Role;
  /** The rooms to which the role is limited; absent for all rooms, and for polls without a room. */
  readonly rooms?: readonly string[] | undefined;
  readonly salt: string;
  readonly hash: string;
  /** In ms since 1970. */
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** When the token stops working, in ms since 1970; absent: never. */
  readonly expiresAtMs?: number | undefined;
  /** Whose session it is, if an identity provider has signed the operator in. */
  readonly person?: Person | undefined;
  /** What the identity provider said when a session began, from which its role and rooms follow; see `asNow`. */
  readonly claimed?: Claimed | undefined;
}

/** Who sends a request, once the token was found to be right. */
export interface Caller {
  /** The name in records. */
  readonly name: string;
  /** The identity provider that has identified the caller, who is known by the subject in the name only there. */
  readonly issuer?: string | undefined;
  /** The name of the session; absent for tokens that are not of a session. */
  readonly session?: string | undefined;
  readonly role: Role;
  readonly rooms?: readonly string[] | undefined;
  /** Tells this token from an earlier or later one of the same name; absent for the token of the deployment. */
  readonly credential?: string | undefined;
  /** When an access token of the identity provider expires, in ms since 1970; absent for other tokens. */
  readonly untilMs?: number | undefined;
}

/** The token of the deployment, which may do everything. */
export const ROOT_CALLER: Caller = { name: ROOT, role: 'admin' };

/** True if a caller’s role extends to polls in this room. @param room undefined for polls without a room */
export function reachesRoom({ rooms }: Pick<Caller, 'rooms'>, room: string | undefined): boolean {
  return rooms === undefined || (room !== undefined && rooms.includes(room));
}

/** True if an operator’s token works at this instant (ms since 1970). */
export function isValidAt({ expiresAtMs }: Pick<Operator, 'expiresAtMs'>, nowMs: number): boolean {
  return expiresAtMs === undefined || nowMs < expiresAtMs;
}

/**
 * The name of a person in records. The subject comes first, because nobody can choose it. It contains a colon, so it is no operator’s
 * name.
 */
export function nameOf({ subject, name }: Person): string {
  return name === '' ? `oidc:${subject}` : `oidc:${subject} (${name})`;
}

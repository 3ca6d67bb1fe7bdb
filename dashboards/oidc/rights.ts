import type { Person } from '../../core/operators/operator.ts';

/** What a provider says about somebody: the claims of a token, as JSON. */
export type Claims = Readonly<Record<string, unknown>>;

/** The maximum length of a name in records and lists. */
const MAX_NAME_LENGTH = 64;
/** A subject has up to 255 ASCII characters [OpenID Connect Core 1.0, section 2]; spaces would make records ambiguous. */
const SUBJECT = /^[\x21-\x7e]{1,255}$/;

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

/** A name without control and direction characters, which could make a record read differently from what it says. */
function readable(name: string): string {
  const clean = name
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return [...clean].slice(0, MAX_NAME_LENGTH).join('');
}

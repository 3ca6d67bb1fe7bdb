import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Fewest characters of a secret that an operator brings along. */
export const MIN_SECRET_LENGTH = 16;

/** A new secret: 144 random bits, 24 characters that survive a QR code and a header. */
export function newSecret(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * The salted hash to keep of a secret. HMAC-SHA-256 and not a slow hash: secrets are long and random, so there is
 * nothing to guess, and two thousand devices that reconnect together must not wait for each other.
 */
export function hashSecret(secret: string): { salt: string; hash: string } {
  const salt = randomBytes(16).toString('base64url');
  return { salt, hash: digest(secret, salt).toString('base64url') };
}

/** True when `secret` is the one that was hashed. Takes the same time either way. */
export function isSecret(secret: string | Buffer, { salt, hash }: { salt: string; hash: string }): boolean {
  const kept = Buffer.from(hash, 'base64url');
  const given = digest(secret, salt);
  return kept.length === given.length && timingSafeEqual(kept, given);
}

/** True when two texts are equal, without telling by the time taken where they differ. */
export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a, 'compare'), digest(b, 'compare'));
}

function digest(secret: string | Buffer, salt: string): Buffer {
  return createHmac('sha256', salt).update(secret).digest();
}

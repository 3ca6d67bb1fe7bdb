import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The minimum length of a secret that an operator chooses. */
export const MIN_SECRET_LENGTH = 16;

/** A new secret: 144 random bits as 24 characters that are safe in QR codes and HTTP headers. */
export function newSecret(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * The salted hash to store for a secret. It is HMAC-SHA-256 rather than a slow hash: generated secrets are too long to be
 * guessed anyway, and a slow hash would hold up thousands of devices that reconnect at once.
 */
export function hashSecret(secret: string): { salt: string; hash: string } {
  const salt = randomBytes(16).toString('base64url');
  return { salt, hash: digest(secret, salt).toString('base64url') };
}

/** True if `secret` is the secret that was hashed. Compares in constant time. */
export function isSecret(secret: string | Buffer, { salt, hash }: { salt: string; hash: string }): boolean {
  const kept = Buffer.from(hash, 'base64url');
  const given = digest(secret, salt);
  return kept.length === given.length && timingSafeEqual(kept, given);
}

/** True if two texts are equal. Compares in constant time. */
export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a, 'compare'), digest(b, 'compare'));
}

function digest(secret: string | Buffer, salt: string): Buffer {
  return createHmac('sha256', salt).update(secret).digest();
}

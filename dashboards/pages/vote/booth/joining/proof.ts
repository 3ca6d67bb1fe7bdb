import { sha256Start } from './sha256.ts';

/** How long in ms to compute before the page may do something else. */
const SLICE_MS = 12;
/** The number of hashes between two looks at the clock. */
const HASHES = 256;

/** The answer to a challenge; see `dashboards/joining/challenges.ts`. */
export interface Proof {
  readonly challenge: string;
  readonly nonce: string;
}

/** The number of zero bits that a challenge asks for. */
export function bitsOf(challenge: string): number {
  return Number(challenge.split('.')[1]);
}

/**
 * Finds a number for which SHA-256 of `<challenge>:<number>` begins with as many zero bits as the challenge asks for. Computed in
 * plain JavaScript, because browsers offer WebCrypto only in secure contexts, and in slices, so that the page stays responsive.
 */
export async function proofOf(challenge: string): Promise<Proof> {
  const bits = bitsOf(challenge);
  for (let n = 0; ; ) {
    const endMs = performance.now() + SLICE_MS;
    while (performance.now() < endMs) {
      for (const end = n + HASHES; n < end; n++) {
        if (Math.clz32(sha256Start(`${challenge}:${n}`)) >= bits) return { challenge, nonce: String(n) };
      }
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}

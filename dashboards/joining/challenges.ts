import { createHash, randomBytes } from 'node:crypto';
import { isSameText } from '../../core/devices/secret.ts';

/** How long in ms a challenge can be answered. The slowest phones need a few seconds for the most difficult one. */
const VALID_MS = 300_000;
/** The maximum number of answered challenges that are remembered, so that none is accepted twice. */
const MAX_SPENT = 100_000;
/** How many bits easier a proof may be than one that is asked for now: the budget may have shrunk while it was computed. */
const TOLERANCE = 1;
/** The number of zero bits that a proof needs at least and at most: 65,000 and a million hashes on average. */
const BITS = { min: 16, max: 20 } as const;
const CHALLENGE = /^([0-9a-z]{1,9})\.(\d{1,2})\.([\w-]{11})\.([\w-]{16})$/;
const NONCE = /^\d{1,16}$/;

/** A challenge with its answer. */
export interface Proof {
  readonly challenge: string;
  /** Digits with which SHA-256 of `<challenge>:<nonce>` begins with as many zero bits as the challenge says. */
  readonly nonce: string;
}

/**
 * Asks for proofs of work: `<expiry>.<bits>.<salt>.<signature>`, with the expiry in seconds since 1970 in base 36. Any dashboard
 * accepts the challenges of another, each once.
 */
export class Challenges {
  private readonly sign: (text: string) => Promise<string>;
  /** The challenges that were answered here, and when they expire, in ms. */
  private readonly spent = new Map<string, number>();

  /** @param sign a keyed hash that all dashboards share */
  constructor(sign: (text: string) => Promise<string>) {
    this.sign = sign;
  }

  /** @param debt see `JoinBudget.debt`: the more have joined already, the more difficult */
  async make(room: string, debt: number): Promise<string> {
    const expires = Math.ceil((Date.now() + VALID_MS) / 1_000).toString(36);
    const salt = randomBytes(8).toString('base64url');
    const bits = String(bitsOf(debt));
    return [expires, bits, salt, await this.signature(room, expires, bits, salt)].join('.');
  }

  /** True if a proof is right and was not shown before. It is spent then. */
  async accept(room: string, debt: number, { challenge, nonce }: Proof): Promise<boolean> {
    const [, expires = '', bits = '', salt = '', signature = ''] = CHALLENGE.exec(challenge) ?? [];
    const expiresMs = Number.parseInt(expires, 36) * 1_000;
    if (!(expiresMs > Date.now()) || !NONCE.test(nonce) || Number(bits) < bitsOf(debt) - TOLERANCE) return false;
    if (!isSameText(signature, await this.signature(room, expires, bits, salt))) return false;
    if (this.spent.has(challenge) || zeroBits(`${challenge}:${nonce}`) < Number(bits)) return false;
    this.forget();
    this.spent.set(challenge, expiresMs);
    return true;
  }

  private async signature(room: string, expires: string, bits: string, salt: string): Promise<string> {
    return (await this.sign(`proof of work ${room} ${expires} ${bits} ${salt}`)).slice(0, 16);
  }

  /** Forgets what has expired, and the oldest if there are too many. They expire in about the order in which they were added. */
  private forget(): void {
    const nowMs = Date.now();
    for (const [challenge, expiresMs] of this.spent) {
      if (expiresMs > nowMs && this.spent.size < MAX_SPENT) return;
      this.spent.delete(challenge);
    }
  }
}

function bitsOf(debt: number): number {
  return Math.min(BITS.min + Math.floor(debt), BITS.max);
}

/** How many zero bits SHA-256 of a text begins with, up to 32. */
function zeroBits(text: string): number {
  return Math.clz32(createHash('sha256').update(text).digest().readUInt32BE(0));
}

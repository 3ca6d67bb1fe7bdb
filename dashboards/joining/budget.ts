import { callerOf } from '../../core/process/networks.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';

/** The time in ms in which an empty bucket becomes full again. */
const REFILL_MS = 600_000;
/** The maximum number of buckets; the one that was used least recently goes first. */
const MAX_BUCKETS = 10_000;
/** How many times its size a bucket may be overdrawn, for which its proofs of work become more difficult. */
const MAX_DEBT = 8;

/** The tokens of one address in one room. */
interface Bucket {
  /** Negative while more have joined than were expected. */
  tokens: number;
  size: number;
  atMs: number;
}

/** What became of a request for a token. */
export type Spent = 'token' | 'proof' | undefined;

/** How many guests may join without further ado: a token bucket for each address and room. */
export class JoinBudget {
  private readonly buckets = new LruMap<string, Bucket>();

  /**
   * Takes a token.
   *
   * @param size the number of guests that are expected from one address
   * @param hasProof whether a proof of work was shown, which counts as a token if there is none
   * @returns what was spent; undefined if there is no token, and no proof either
   */
  spend(address: string, room: string, size: number, hasProof: boolean): Spent {
    const bucket = this.bucket(address, room, size);
    if (bucket.tokens < 1 && !hasProof) return undefined;
    const spent = bucket.tokens < 1 ? 'proof' : 'token';
    bucket.tokens = Math.max(bucket.tokens - 1, -MAX_DEBT * size);
    return spent;
  }

  /** How many times the size of its bucket an address has overdrawn it; 0 while there are tokens. */
  debt(address: string, room: string, size: number): number {
    return Math.max(0, -this.bucket(address, room, size).tokens / size);
  }

  /** In how many seconds there will be a token. */
  waitSeconds(address: string, room: string, size: number): number {
    const missing = 1 - this.bucket(address, room, size).tokens;
    return Math.max(1, Math.ceil((missing * REFILL_MS) / size / 1_000));
  }

  private bucket(address: string, room: string, size: number): Bucket {
    const nowMs = performance.now();
    const key = `${callerOf(address)} ${room}`;
    const bucket = this.buckets.use(key) ?? { tokens: size, size, atMs: nowMs };
    // The operator may expect another number now.
    const tokens = bucket.tokens + size - bucket.size + ((nowMs - bucket.atMs) * size) / REFILL_MS;
    Object.assign(bucket, { tokens: Math.min(tokens, size), size, atMs: nowMs });
    this.buckets.put(key, bucket);
    this.buckets.trim(MAX_BUCKETS);
    return bucket;
  }
}

import { ENTRY_FORMAT } from '../../voting/count/entry.ts';
import { PROCESSOR_ROLE, readsOf } from '../processors.ts';
import type { Presence } from '../store.ts';

/** How often in ms the processors are asked for what they can read, while entries are written. */
const ASK_EVERY_MS = 1_000;
/** After how long in ms an answer is too old. */
const KNOWN_MS = 3_000;
/** The format that all versions can read. */
const OLDEST = 1;

/**
 * The format in which entries are written while processes are updated one by one: the newest one that every processor can read,
 * and the oldest one as long as nobody knows.
 */
export class WrittenFormat {
  private readonly presence: Presence;
  private known = OLDEST;
  private knownAtMs = Number.NEGATIVE_INFINITY;
  private askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(presence: Presence) {
    this.presence = presence;
  }

  /** The format for an entry that is written now. */
  current(): number {
    const nowMs = performance.now();
    if (nowMs - this.askedAtMs >= ASK_EVERY_MS) {
      this.askedAtMs = nowMs;
      void this.ask();
    }
    return nowMs - this.knownAtMs < KNOWN_MS ? this.known : OLDEST;
  }

  private async ask(): Promise<void> {
    const nowMs = performance.now();
    // If the store cannot be reached, what is known becomes too old, and no votes are lost by that.
    const present = await this.presence.list(PROCESSOR_ROLE).catch(() => []);
    if (present.length === 0) return;
    this.known = Math.min(ENTRY_FORMAT, ...present.map(({ facts }) => readsOf(facts)));
    this.knownAtMs = nowMs;
  }
}

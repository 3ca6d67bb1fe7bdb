import { every } from '../../core/waiting/pause.ts';
import type { Spells } from '../../core/waiting/spells.ts';
import { HEARTBEAT } from './frame.ts';
import type { Viewer } from './viewer.ts';

const EVERY_MS = 15_000;
/** Each of so many shares of the viewers has a time of its own, because writing to all of them at once takes long. */
const SHARES = 60;

/** Shows proxies and clients that the streams are alive. */
export class Heartbeats {
  private readonly spells: Spells;
  private readonly shares = Array.from({ length: SHARES }, () => new Set<Viewer>());
  private added = 0;
  private beats = 0;

  /** @param everyMs how often each viewer gets one; only tests have another time */
  constructor(spells: Spells, halt: AbortSignal, everyMs = EVERY_MS) {
    this.spells = spells;
    every(everyMs / SHARES, halt, () => this.beat());
  }

  /** @returns the share of a viewer, from which it must be deleted once it has left */
  add(viewer: Viewer): Set<Viewer> {
    return this.share(this.added++).add(viewer);
  }

  private beat(): void {
    const share = this.share(this.beats++);
    if (share.size > 0) void this.spells.do(beats(share));
  }

  private share(number: number): Set<Viewer> {
    return this.shares[number % SHARES] as Set<Viewer>;
  }
}

function* beats(viewers: Iterable<Viewer>): Generator<void> {
  for (const viewer of viewers) {
    viewer.beat(HEARTBEAT);
    yield;
  }
}

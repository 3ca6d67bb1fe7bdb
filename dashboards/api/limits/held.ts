import { pause } from '../../../core/waiting/pause.ts';

/** The maximum number of refusals that are held back at once. Further ones leave at once. */
const MAX_HELD = 1_000;

/** Holds refusals back for a moment, so that a client that asks in a loop costs less. */
export class Held {
  private size = 0;

  async hold(ms: number): Promise<void> {
    if (this.size >= MAX_HELD) return;
    this.size++;
    await pause(ms);
    this.size--;
  }
}

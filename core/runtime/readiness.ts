import { Gauge, type Registry } from 'prom-client';
import type { Store } from '../store/store.ts';
import { pause } from './pause.ts';

/** How long the store may take to answer, ms. */
const ANSWER_LIMIT_MS = 2_000;
const LOOK_EVERY_MS = 2_000;

/** Whether a process should be given work: it is not stopping, and its store answers. */
export class Readiness {
  readonly name = 'readiness';
  private readonly store: Store;
  private readonly gauge: Gauge;
  private isDraining = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(store: Store, registry: Registry) {
    this.store = store;
    const help = 'Whether this process can do its work: 1, or 0 while it stops or its store is away';
    this.gauge = new Gauge({ name: 'pollcast_ready', help, registers: [registry] });
  }

  async start(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
  }

  /** From now on this process is not ready: load balancers look for another. */
  drain(): void {
    this.isDraining = true;
    this.gauge.set(0);
  }

  /** Why this process is not ready, as a sentence; undefined when it is. */
  async problem(): Promise<string | undefined> {
    if (this.isDraining) return 'it is stopping';
    try {
      const late = pause(ANSWER_LIMIT_MS).then(() => 'late' as const);
      const answer = await Promise.race([this.store.presence.list('readiness'), late]);
      return answer === 'late' ? 'the store does not answer' : undefined;
    } catch {
      return 'the store does not answer';
    }
  }

  private async look(): Promise<void> {
    this.gauge.set((await this.problem()) === undefined ? 1 : 0);
  }
}

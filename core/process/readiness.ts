import { Gauge, type Registry } from 'prom-client';
import type { Store } from '../store/store.ts';
import { withinOr } from '../waiting/deadline.ts';
import { every } from '../waiting/pause.ts';

/** Time limit in ms for an answer from the store. */
const ANSWER_LIMIT_MS = 2_000;
const CHECK_EVERY_MS = 2_000;

/** Reports whether a process is ready for work: it must not be stopping, and its store must answer. */
export class Readiness {
  private readonly store: Store;
  private readonly gauge: Gauge;
  private readonly halt = new AbortController();
  private isDraining = false;

  private constructor(store: Store, gauge: Gauge) {
    this.store = store;
    this.gauge = gauge;
  }

  static async open(store: Store, registry: Registry): Promise<Readiness> {
    const help = '1 while this process is ready for work, 0 while it is stopping or its store does not answer';
    const readiness = new Readiness(store, new Gauge({ name: 'pollcast_ready', help, registers: [registry] }));
    await readiness.check();
    every(CHECK_EVERY_MS, readiness.halt.signal, () => void readiness.check());
    return readiness;
  }

  async close(): Promise<void> {
    this.halt.abort();
  }

  /** Marks this process as not ready, so that load balancers use others. */
  drain(): void {
    this.isDraining = true;
    this.gauge.set(0);
  }

  /** Why this process is not ready, as a sentence; undefined if it is ready. */
  async problem(): Promise<string | undefined> {
    if (this.isDraining) return 'the process is stopping';
    try {
      const answer = await withinOr(ANSWER_LIMIT_MS, this.store.presence.list('readiness'), undefined);
      return answer === undefined ? 'the store does not answer' : undefined;
    } catch {
      return 'the store does not answer';
    }
  }

  private async check(): Promise<void> {
    this.gauge.set((await this.problem()) === undefined ? 1 : 0);
  }
}

import { Gauge, type Registry } from 'prom-client';
import type { Log } from '../runtime/log.ts';
import type { Store } from '../store/store.ts';
import { withinOr } from '../waiting/deadline.ts';
import { every } from '../waiting/pause.ts';

/** Time limit in ms for an answer from the store. */
const ANSWER_LIMIT_MS = 2_000;
const CHECK_EVERY_MS = 2_000;
/** Why a process is not ready, as the metric names it. */
const CAUSES = ['stopping', 'store-away', 'store-refuses', 'newer-entries', 'round-key'] as const;
/** What the parts of a process may lack. */
type Lack = Extract<(typeof CAUSES)[number], 'newer-entries' | 'round-key'>;

/** Why a process is not ready: a word for the metric, and a sentence for people. */
interface Unready {
  readonly cause: (typeof CAUSES)[number];
  readonly why: string;
}

/**
 * Reports whether a process is ready for work: it must not be stopping, its store must answer and take entries, and its parts must
 * have what they demand: entries in a format that can be read, and the keys of secret rounds.
 */
export class Readiness {
  private readonly store: Store;
  private readonly log: Log;
  private readonly ready: Gauge;
  private readonly causes: Gauge<'why'>;
  private readonly halt = new AbortController();
  private isDraining = false;
  private readonly demands = new Map<Lack, () => string | undefined>();
  private reported: string | undefined;

  private constructor(store: Store, registry: Registry, log: Log) {
    this.store = store;
    this.log = log.child({ part: 'readiness' });
    const registers = [registry];
    const help = '1 while this process is ready for work, otherwise 0; pollcast_not_ready says why';
    this.ready = new Gauge({ name: 'pollcast_ready', help, registers });
    this.causes = new Gauge({
      name: 'pollcast_not_ready',
      help: '1 while this is the reason why the process is not ready, otherwise 0',
      labelNames: ['why'] as const,
      registers,
    });
  }

  static async open(store: Store, registry: Registry, log: Log): Promise<Readiness> {
    const readiness = new Readiness(store, registry, log);
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
    void this.check();
  }

  get isStopping(): boolean {
    return this.isDraining;
  }

  /** From now on, the process is not ready while it lacks something. @param problem returns why it cannot work, or undefined */
  demand(lack: Lack, problem: () => string | undefined): void {
    this.demands.set(lack, problem);
  }

  /** Why this process is not ready, as a sentence; undefined if it is ready. */
  async problem(): Promise<string | undefined> {
    return (await this.unready())?.why;
  }

  private async unready(): Promise<Unready | undefined> {
    if (this.isDraining) return { cause: 'stopping', why: 'the process is stopping' };
    // What the store knows about itself says more than that it does not answer.
    const condition = this.store.condition();
    if (!condition.ok) return { cause: 'store-refuses', why: condition.reason };
    const away: Unready = { cause: 'store-away', why: 'the store does not answer' };
    try {
      const answer = await withinOr(ANSWER_LIMIT_MS, this.store.presence.list('readiness'), undefined);
      if (answer === undefined) return away;
    } catch {
      return away;
    }
    for (const [cause, problem] of this.demands) {
      const why = problem();
      if (why !== undefined) return { cause, why };
    }
    return undefined;
  }

  private async check(): Promise<void> {
    const unready = await this.unready();
    this.ready.set(unready ? 0 : 1);
    for (const why of CAUSES) this.causes.set({ why }, unready?.cause === why ? 1 : 0);
    if (unready?.cause === this.reported) return;
    if (unready && unready.cause !== 'stopping') this.log.error({ why: unready.why }, 'not ready');
    else if (!unready) this.log.info('ready again');
    this.reported = unready?.cause;
  }
}

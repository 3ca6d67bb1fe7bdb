import { randomUUID } from 'node:crypto';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Store } from '../core/store/store.ts';
import type { ProcessorMetrics } from './metrics.ts';

/** The role under which processors announce their presence. */
const PROCESSOR_ROLE = 'processor';
/** A processor that is silent for this long is taken for dead, ms. */
const TTL_MS = 2_500;
/** How often presence is renewed and the others are looked at, ms; also how long a hand-over may take. */
const LOOK_EVERY_MS = 500;
/** How often the log's lead is measured, ms. */
const MEASURE_EVERY_MS = 2_000;

/**
 * Which partitions this process counts: an even share of them among the processors that are alive. Two may count the
 * same partition for a moment, or none: the commit's compare-and-set makes that harmless.
 */
export class Leases {
  readonly name = 'leases';
  private readonly id = randomUUID();
  private readonly store: Store;
  private readonly log: Log;
  private readonly metrics: ProcessorMetrics;
  private readonly halt = new AbortController();
  private held: readonly number[] = [];
  private looking: Promise<void> | undefined;
  private measuredAtMs = 0;

  constructor(store: Store, log: Log, metrics: ProcessorMetrics) {
    this.store = store;
    this.log = log.child({ part: 'leases' });
    this.metrics = metrics;
  }

  async start(): Promise<void> {
    await this.look();
    this.looking = this.lookOnAndOn();
  }

  /** Leaves its partitions to the others at once. Stop what counts them before. */
  async stop(): Promise<void> {
    this.halt.abort();
    await this.looking;
    this.held = [];
    await this.store.presence.withdraw(PROCESSOR_ROLE, this.id);
  }

  /** The partitions to count now. */
  readonly partitions = (): readonly number[] => this.held;

  private async lookOnAndOn(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      await pause(LOOK_EVERY_MS, signal);
      // While the store is away everybody keeps what they have.
      await this.look().catch((error) => this.log.debug({ err: error }, 'could not look at the leases'));
    }
  }

  private async look(): Promise<void> {
    const { presence, log } = this.store;
    await presence.announce(PROCESSOR_ROLE, this.id, {}, TTL_MS);
    const alive = (await presence.list(PROCESSOR_ROLE)).map(({ id }) => id).sort();
    const held = share(this.id, alive, log.partitions);
    if (held.join() !== this.held.join()) {
      this.log.info({ partitions: held, processors: alive.length }, 'counting these partitions from now on');
      this.metrics.lagEntries.reset();
    }
    this.held = held;
    this.metrics.leased.set(held.length);
    await this.measure();
  }

  private async measure(): Promise<void> {
    if (performance.now() - this.measuredAtMs < MEASURE_EVERY_MS) return;
    this.measuredAtMs = performance.now();
    for (const partition of this.held) {
      const { entries } = await this.store.counts.position(partition);
      const appended = await this.store.log.appended(partition);
      this.metrics.lagEntries.set({ partition }, Math.max(0, appended - entries));
    }
  }
}

/** The partitions of one among `all`: every so-manieth, so that shares differ by one at most. */
export function share(id: string, all: readonly string[], partitions: number): number[] {
  const rank = all.indexOf(id);
  if (rank === -1) return [];
  return Array.from({ length: partitions }, (_, partition) => partition).filter((p) => p % all.length === rank);
}

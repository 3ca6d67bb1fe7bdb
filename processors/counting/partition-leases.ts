import { randomUUID } from 'node:crypto';
import type { Log } from '../../core/runtime/log.ts';
import { PROCESSOR_ROLE, type ProcessorFacts, readsOf } from '../../core/store/processors.ts';
import type { Store } from '../../core/store/store.ts';
import { ENTRY_FORMAT } from '../../core/voting/count/entry.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import type { ProcessorMetrics } from '../metrics.ts';

/** If a processor has not renewed its presence for this long (ms), it is considered dead. */
const TTL_MS = 2_500;
/** Interval in ms at which presence is renewed and processors are listed. Handing over a partition may take that long. */
const RENEW_EVERY_MS = 500;
/** Interval in ms between measurements of the lag. */
const MEASURE_EVERY_MS = 2_000;

interface PartitionLeaseParts {
  readonly store: Store;
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
}

/**
 * Decides which partitions this process counts: an even share among the live processors. For a moment, two processors or none
 * may count a partition. This is harmless, because commits are compare-and-set.
 */
export class PartitionLeases {
  private readonly id = randomUUID();
  private readonly parts: PartitionLeaseParts;
  private readonly log: Log;
  private readonly halt = new AbortController();
  private held: readonly number[] = [];
  private renewing = Promise.resolve();
  private measuredAtMs = 0;

  private constructor(parts: PartitionLeaseParts) {
    this.parts = parts;
    this.log = parts.log.child({ part: 'leases' });
  }

  static async open(parts: PartitionLeaseParts): Promise<PartitionLeases> {
    const leases = new PartitionLeases(parts);
    try {
      await leases.renew();
    } catch (error) {
      // Its presence may have been announced already, and its share of the partitions would not be counted.
      await leases.withdraw();
      throw error;
    }
    leases.renewing = repeat(() => leases.renew(), {
      signal: leases.halt.signal,
      everyMs: RENEW_EVERY_MS,
      // While the store is unreachable, every processor keeps its partitions.
      retryMs: { first: RENEW_EVERY_MS },
      log: leases.log,
      failureMessage: 'could not renew the partition leases; trying again',
    });
    return leases;
  }

  /** Gives up the partitions immediately. Before calling this, close everything that counts them. */
  async close(): Promise<void> {
    this.halt.abort();
    await this.renewing;
    this.held = [];
    await this.withdraw();
  }

  /** The partitions this process counts now. */
  readonly partitions = (): readonly number[] => this.held;

  private async withdraw(): Promise<void> {
    // If the withdrawal fails, the presence expires.
    await this.parts.store.presence
      .withdraw(PROCESSOR_ROLE, this.id)
      .catch((error) => this.log.debug({ err: error }, 'could not withdraw this processor’s presence'));
  }

  private async renew(): Promise<void> {
    const { presence, log } = this.parts.store;
    const facts: ProcessorFacts = { reads: ENTRY_FORMAT };
    await presence.announce(PROCESSOR_ROLE, this.id, facts, TTL_MS);
    const alive = ableProcessors(await presence.list(PROCESSOR_ROLE));
    const held = partitionsOf(this.id, alive, log.partitions);
    if (held.join() !== this.held.join()) {
      this.log.info({ partitions: held, processors: alive.length }, 'partitions assigned');
      this.parts.metrics.lagEntries.reset();
    }
    this.held = held;
    this.parts.metrics.leased.set(held.length);
    await this.measure();
  }

  private async measure(): Promise<void> {
    if (performance.now() - this.measuredAtMs < MEASURE_EVERY_MS) return;
    this.measuredAtMs = performance.now();
    for (const partition of this.held) {
      const { entries } = await this.parts.store.counts.position(partition);
      const appended = await this.parts.store.log.appended(partition);
      this.parts.metrics.lagEntries.set({ partition }, Math.max(0, appended - entries));
    }
  }
}

/**
 * The ids of the processors that share the partitions, sorted: those that can read the newest format. During an update, an older
 * one would otherwise hold partitions at an entry that it cannot read.
 */
export function ableProcessors(present: readonly { readonly id: string; readonly facts: unknown }[]): string[] {
  const newest = Math.max(...present.map(({ facts }) => readsOf(facts)));
  return present.flatMap(({ id, facts }) => (readsOf(facts) === newest ? [id] : [])).sort();
}

/** The partitions of one of n processors: every n-th partition, so that shares differ by at most one. */
export function partitionsOf(id: string, all: readonly string[], partitions: number): number[] {
  const rank = all.indexOf(id);
  if (rank === -1) return [];
  return Array.from({ length: partitions }, (_, partition) => partition).filter((p) => p % all.length === rank);
}

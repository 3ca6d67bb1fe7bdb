import type { Log } from '../../core/runtime/log.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import type { ProgressBook } from './progress-book.ts';

/** How long in ms a partition rests after it could not be counted. It doubles from `first` to `most`. */
const REST_MS = { first: 100, most: 5_000 } as const;

interface Rest {
  readonly ms: number;
  readonly untilMs: number;
}

interface AttemptsParts {
  readonly book: ProgressBook;
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
}

/**
 * The parts of a step that concern one partition. If one of them fails, only its partition is taken over again, and rests first, so
 * that the others are counted meanwhile.
 */
export class Attempts {
  private readonly parts: AttemptsParts;
  private readonly rests = new Map<number, Rest>();
  /** Why partitions could not be counted in this step. */
  private readonly failed = new Map<number, unknown>();

  constructor(parts: AttemptsParts) {
    this.parts = parts;
  }

  /** Whether a partition is not to be tried yet. */
  isResting(partition: number): boolean {
    return performance.now() < (this.rests.get(partition)?.untilMs ?? 0);
  }

  /** Forgets a partition that is counted elsewhere now. */
  forget(partition: number): void {
    this.rests.delete(partition);
  }

  /** Begins a step. */
  begin(): void {
    this.failed.clear();
  }

  /** Never rejects. @returns undefined if the work has failed */
  async of<T>(partition: number, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!this.failed.has(partition)) this.failed.set(partition, error);
      this.parts.book.forget(partition);
      return undefined;
    }
  }

  /** Ends a step in which these partitions were tried. @throws the first error if all of them have failed */
  conclude(tried: Iterable<number>): void {
    const { parts, failed } = this;
    const succeeded = [...tried].filter((partition) => !failed.has(partition));
    const [first] = failed.values();
    if (failed.size > 0 && succeeded.length === 0) throw first;
    for (const partition of succeeded) {
      if (this.rests.delete(partition)) parts.log.info({ partition }, 'counting of the partition has resumed');
    }
    for (const [partition, error] of failed) {
      parts.metrics.commits.inc({ outcome: 'failed' });
      this.rest(partition, error);
    }
  }

  /** Consecutive failures are logged once. */
  private rest(partition: number, error: unknown): void {
    const before = this.rests.get(partition);
    const ms = before ? Math.min(before.ms * 2, REST_MS.most) : REST_MS.first;
    this.rests.set(partition, { ms, untilMs: performance.now() + ms });
    if (before) return;
    this.parts.log.error(
      { err: error, partition, retryMs: ms },
      'a partition cannot be counted, trying again; the others are counted meanwhile, and its votes are safe in the log',
    );
  }
}

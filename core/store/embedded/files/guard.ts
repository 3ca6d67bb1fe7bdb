import { every } from '../../../waiting/pause.ts';
import { StoreRefusal } from '../../error.ts';
import type { Condition } from '../../store.ts';
import type { KeptFiles } from './kept-files.ts';
import type { FreeSpace } from './space.ts';

const CHECK_EVERY_MS = 1_000;

/** What a guard watches, and whom it informs. */
export interface Guarded {
  readonly space: FreeSpace;
  readonly files: KeptFiles;
  /** False once another process writes to the vote log. */
  readonly isOurs: () => boolean;
  /** Stores something small in the vote log, to find out whether it can be written to again. */
  readonly probe: () => Promise<void>;
  /** Called with the reason when the store begins to refuse writes, and without one when it takes them again. */
  readonly onChange: (reason: string | undefined) => void;
  /** Called once, when another process has taken over the data directory. */
  readonly onTakenOver: (reason: string) => void;
}

/**
 * Knows whether votes can be kept, and stops them from being acknowledged otherwise. Looks every second, before each write, and
 * after each append: what is acknowledged has been written to the file that is at its path.
 */
export class Guard {
  private readonly directory: string;
  private readonly guarded: Guarded;
  private readonly halt = new AbortController();
  /** Why the last append failed. */
  private failure: string | undefined;
  private takeover: string | undefined;
  private reported: string | undefined;
  private checking = Promise.resolve();

  constructor(directory: string, guarded: Guarded) {
    this.directory = directory;
    this.guarded = guarded;
    every(CHECK_EVERY_MS, this.halt.signal, () => {
      // One check that fails must not end those after it.
      this.checking = this.checking.then(() => this.check()).catch((error: Error) => this.failed(error));
    });
  }

  /** Stops watching. Resolves once no check is running. */
  async close(): Promise<void> {
    this.halt.abort();
    await this.checking;
  }

  condition(): Condition {
    const reason = this.problem() ?? this.failure;
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  /** @throws StoreRefusal when nothing that is written now would be kept */
  demand(): void {
    const reason = this.problem();
    if (reason === undefined) return;
    this.report();
    throw new StoreRefusal(reason);
  }

  /** @throws StoreRefusal when what has just been written is not in the files at their paths */
  demandFiles(): void {
    if (this.guarded.files.problem() !== undefined) this.demand();
  }

  /** Remembers that an append failed. It may succeed at the next attempt, so writes are not refused. */
  failed(error: Error): void {
    this.failure = `the vote log in ${this.directory} could not be written to: ${error.message}`;
    this.report();
  }

  /** An append succeeded. */
  stored(): void {
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.report();
  }

  /** Another process writes to the vote log. @returns the error for the append */
  takenOver(): StoreRefusal {
    const isNews = this.takeover === undefined;
    this.takeover = `another pollcast process has taken over the data directory ${this.directory}; this one stores nothing more`;
    if (isNews) this.guarded.onTakenOver(this.takeover);
    return new StoreRefusal(this.takeover);
  }

  private problem(): string | undefined {
    return this.takeover ?? this.guarded.files.problem() ?? this.guarded.space.shortage;
  }

  private async check(): Promise<void> {
    if (this.halt.signal.aborted) return;
    await this.guarded.space.check();
    if (!this.guarded.isOurs()) this.takenOver();
    if (this.failure !== undefined && this.problem() === undefined) {
      await this.guarded.probe().then(
        () => this.stored(),
        (error: Error) => this.failed(error),
      );
    }
    this.report();
  }

  private report(): void {
    const condition = this.condition();
    const reason = condition.ok ? undefined : condition.reason;
    if ((reason === undefined) === (this.reported === undefined)) return;
    this.reported = reason;
    this.guarded.onChange(reason);
  }
}

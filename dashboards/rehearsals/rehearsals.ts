import type { RehearsalAnswer, RehearsalReport } from '../../client/answers.ts';
import type { GuestBook } from '../../core/devices/guests/guest-book.ts';
import { Refusal } from '../../core/runtime/refusal.ts';

/** The limits of a rehearsal. Larger rehearsals should run on a separate machine (`pollcast sim`). */
export const REHEARSAL_LIMITS = { devices: 2_000, seconds: 120 } as const;

export interface RehearsalRequest {
  readonly poll: string;
  readonly devices: number;
  readonly seconds: number;
  /** The credentials that each device connects with. */
  readonly credentials: readonly { readonly device: string; readonly password: string }[];
}

/** Runs the simulator in a separate process. The signal ends the rehearsal early. */
export type Rehearse = (
  order: RehearsalRequest,
  progress: (phase: 'connecting' | 'voting' | 'counting', done: number, total: number) => void,
  signal: AbortSignal,
) => Promise<RehearsalReport & { readonly passed: boolean }>;

interface Rehearsal extends Omit<RehearsalRequest, 'credentials'> {
  /** The poll that is being rehearsed. */
  readonly of: string;
  /** Creates and opens the copy. */
  readonly begin: () => Promise<void>;
  /** Closes the copy. */
  readonly end: () => Promise<void>;
}

/** Runs rehearsals, one at a time: simulated devices vote in a copy of a poll. Keeps the outcome of the last one. */
export class Rehearsals {
  private readonly rehearse: Rehearse | undefined;
  private readonly guests: GuestBook;
  private halt = new AbortController();
  private isClosed = false;
  private work: Promise<void> | undefined;
  private now: RehearsalAnswer | undefined;

  /** @param rehearse undefined if this process runs no broker that simulated devices could connect to */
  constructor(guests: GuestBook, rehearse: Rehearse | undefined) {
    this.guests = guests;
    this.rehearse = rehearse;
  }

  /** Whether polls can be rehearsed in this process. */
  get isOffered(): boolean {
    return this.rehearse !== undefined;
  }

  get state(): RehearsalAnswer | undefined {
    return this.now;
  }

  /** Ends the current rehearsal, so that another one may begin. */
  async end(): Promise<void> {
    this.halt.abort();
    await this.work;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.end();
  }

  /** @throws Refusal no-rehearsals, rehearsal-under-way */
  demandFree(): void {
    if (!this.rehearse || this.isClosed) {
      const why =
        'this process does not run a broker, or one that only lets devices with certificates in; use `pollcast sim` with one of the brokers instead';
      throw new Refusal('no-rehearsals', why);
    }
    if (!this.work) return;
    throw new Refusal(
      'rehearsal-under-way',
      `poll ${this.now?.of} is already being rehearsed; wait for that rehearsal, or end it`,
    );
  }

  /** Begins a rehearsal. @throws Refusal no-rehearsals, rehearsal-under-way */
  begin(rehearsal: Rehearsal): RehearsalAnswer {
    this.demandFree();
    this.halt = new AbortController();
    const { poll, of, devices } = rehearsal;
    this.now = { poll, of, phase: 'starting', done: 0, total: devices };
    this.work = this.run(rehearsal).finally(() => {
      this.work = undefined;
    });
    return this.now;
  }

  private async run({ poll, devices, seconds, begin, end }: Rehearsal): Promise<void> {
    const { signal } = this.halt;
    try {
      await begin();
      signal.throwIfAborted();
      const credentials = await Promise.all(Array.from({ length: devices }, () => this.guests.issue()));
      signal.throwIfAborted();
      const progress = (phase: RehearsalAnswer['phase'], done: number, total: number) =>
        this.update({ phase, done, total });
      const report = await this.rehearse?.({ poll, devices, seconds, credentials }, progress, signal);
      this.update({ phase: report?.passed ? 'passed' : 'failed', report });
    } catch (error) {
      this.update({
        phase: 'failed',
        error: signal.aborted ? 'it was stopped before it finished' : (error as Error).message,
      });
    } finally {
      await end().catch(() => undefined);
    }
  }

  private update(change: Partial<RehearsalAnswer>): void {
    if (this.now) this.now = { ...this.now, ...change };
  }
}

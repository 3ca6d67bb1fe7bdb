import type { GuestBook } from '../core/devices/guest.ts';
import { checkDefinition } from '../core/voting/definition.ts';
import { type Definition, isUnasked, type Poll } from '../core/voting/poll.ts';
import { Problem } from './problem.ts';

/** What a rehearsal may ask for: more belongs on a machine of its own (`pollcast sim`). */
export const REHEARSAL_LIMITS = { devices: 2_000, seconds: 120 } as const;

/** A rehearsal as it goes on, and its outcome. */
export interface RehearsalState {
  /** The copy that is voted in, and what it is a copy of. */
  readonly poll: string;
  readonly of: string;
  readonly phase: 'starting' | 'connecting' | 'voting' | 'counting' | 'passed' | 'failed';
  readonly done: number;
  readonly total: number;
  /** The simulator's report, or why there is none. */
  readonly report?: unknown;
  readonly error?: string;
}

export interface RehearsalOrder {
  readonly poll: string;
  readonly devices: number;
  readonly seconds: number;
  /** What each device signs in with. */
  readonly credentials: readonly { readonly device: string; readonly password: string }[];
}

/** Runs the simulator, beside this process; ends it when the signal is aborted. */
export type Rehearse = (
  order: RehearsalOrder,
  progress: (phase: 'connecting' | 'voting' | 'counting', done: number, total: number) => void,
  signal: AbortSignal,
) => Promise<{ readonly passed: boolean }>;

/** Simulated devices vote in a copy of a poll: one rehearsal at a time, and the last one's outcome. */
export class Rehearsals {
  readonly name = 'rehearsals';
  private readonly rehearse: Rehearse | undefined;
  private readonly guests: GuestBook;
  private halt = new AbortController();
  private isClosed = false;
  private work: Promise<void> | undefined;
  private now: RehearsalState | undefined;

  /** @param rehearse undefined where this process has no broker to send devices to */
  constructor(guests: GuestBook, rehearse: Rehearse | undefined) {
    this.guests = guests;
    this.rehearse = rehearse;
  }

  /** Whether there can be any here. */
  get isOffered(): boolean {
    return this.rehearse !== undefined;
  }

  get state(): RehearsalState | undefined {
    return this.now;
  }

  async start(): Promise<void> {}

  /** Ends the rehearsal that is under way; another may begin. */
  async end(): Promise<void> {
    this.halt.abort();
    await this.work;
  }

  async stop(): Promise<void> {
    this.isClosed = true;
    await this.end();
  }

  /** @throws Problem 409 where there can be none now */
  demandFree(): void {
    if (!this.rehearse || this.isClosed) {
      const why = 'this process takes no votes itself; rehearse with `pollcast sim` against one of the brokers';
      throw new Problem(409, 'no-rehearsals', why);
    }
    if (this.work)
      throw new Problem(409, 'rehearsal-under-way', `poll ${this.now?.of} is being rehearsed; wait, or end it`);
  }

  /** Sends devices to a copy that is open; `begin` opens it, `end` closes it. */
  begin(of: string, order: Omit<RehearsalOrder, 'credentials'>, begin: () => Promise<void>, end: () => Promise<void>) {
    this.demandFree();
    this.halt = new AbortController();
    this.now = { poll: order.poll, of, phase: 'starting', done: 0, total: order.devices };
    this.work = this.run(order, begin, end).finally(() => {
      this.work = undefined;
    });
    return this.now;
  }

  private async run(order: Omit<RehearsalOrder, 'credentials'>, begin: () => Promise<void>, end: () => Promise<void>) {
    const { signal } = this.halt;
    try {
      await begin();
      signal.throwIfAborted();
      const credentials = await Promise.all(Array.from({ length: order.devices }, () => this.guests.issue()));
      signal.throwIfAborted();
      const progress = (phase: RehearsalState['phase'], done: number, total: number) =>
        this.move({ phase, done, total });
      const report = await this.rehearse?.({ ...order, credentials }, progress, signal);
      this.move({ phase: report?.passed ? 'passed' : 'failed', report });
    } catch (error) {
      this.move({ phase: 'failed', error: signal.aborted ? 'it was ended' : (error as Error).message });
    } finally {
      await end().catch(() => undefined);
    }
  }

  private move(change: Partial<RehearsalState>): void {
    if (this.now) this.now = { ...this.now, ...change };
  }
}

/** How long a copy stays open beside the time that its votes take, ms: longer than the simulator may. */
const SPARE_MS = 180_000;

/**
 * A poll to rehearse with: the same question, for anybody, at once, in no room, and with ballots that can be compared. Figures
 * are the operators' own: a copy is final, with its right answer, while the original is still to come. It closes by itself,
 * should nobody be left to close it. Of a poll that was not asked yet, it tells nobody what will be.
 */
export function copyToRehearse(original: Poll, poll: string, seconds: number): Definition {
  const { room, opensAt, closesAt, lateGraceMs, speed, eligible, entitled, weighted, byGroup, ...rest } =
    original.draft ?? original.definition;
  const { majority, quorum, secrecy, minGroup, seed, ...asked } = rest;
  const durationMs = seconds * 1_000 + SPARE_MS;
  const copy: Definition = { ...asked, poll, durationMs, visibility: 'operator' };
  return checkDefinition(isUnasked(original) ? masked(copy) : copy).definition;
}

/** The same sort of question, without its words: keys may be words too. */
function masked({ options, items, correct, unit, ...definition }: Definition): Definition {
  const isOwn = definition.kind === 'motion' || definition.kind === 'rating';
  const keys = new Map(options.map(({ key }, i) => [key, isOwn ? key : `o${i + 1}`]));
  const named = options.map(({ key }) => keys.get(key) ?? key).map((key) => ({ key, label: key }));
  return {
    ...definition,
    title: 'A rehearsal',
    options: named,
    ...(items ? { items: items.map((_, i) => ({ key: `i${i + 1}`, label: `i${i + 1}` })) } : {}),
    ...(correct ? { correct: correct.map((key) => keys.get(key) ?? key) } : {}),
  };
}

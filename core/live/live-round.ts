import type { Slice, SliceChange } from '../voting/count/slice.ts';
import { applyChange } from '../voting/count/slice.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { changesAt, isTimeDependent, type OpenResult, resultOf } from '../voting/result/result.ts';
import { type Calculator, CopyLost } from './calculator/calculator.ts';
import type { Computed } from './calculator/messages.ts';

/** A round with more different casts than this is computed in the calculator’s thread: from here on, it takes milliseconds. */
const HEAVY_CASTS = 1_000;

interface Known extends Computed {
  readonly poll: Poll;
  /** The version of the round from which it was computed. */
  readonly version: number;
  /** The time for which it was computed, ms since 1970. */
  readonly atMs: number;
  /** When that began, on the clock of `performance`, which is never set back. */
  readonly startMs: number;
}

/** The live figures of a round: its slices, kept up to date here or, if they are large, in the calculator’s thread. */
export class LiveRound {
  private readonly key: string;
  /** By partition; without tallies once the calculator has them. */
  private readonly slices: (Slice | undefined)[];
  private readonly calculator: Calculator | undefined;
  /** Increases with each change. */
  private version = 0;
  private known: Known | undefined;
  private computing: Promise<Known> | undefined;
  private moving: Promise<void> | undefined;
  /** `here`: only in this thread · `moving`: being copied to the calculator, and up to date in both · `away`: only there. */
  private place: 'here' | 'moving' | 'away' = 'here';
  private isDropped = false;

  /** @param slices by partition; owned by this object from now on */
  constructor(key: string, slices: (Slice | undefined)[], calculator: Calculator | undefined) {
    this.key = key;
    this.slices = slices;
    this.calculator = calculator;
  }

  /** True if the calculator has a copy, or is getting one. */
  get isCopied(): boolean {
    return this.place !== 'here';
  }

  apply(partition: number, change: SliceChange): void {
    this.version++;
    if (this.place !== 'away') this.slices[partition] = applyChange(this.slices[partition], change);
    if (this.place !== 'here') this.calculator?.apply(this.key, partition, change);
  }

  /** Forgets the copy. The object must not be used afterwards. */
  drop(): void {
    // Only once: the calculator may have a copy for the object that replaces this one.
    if (this.isDropped) return;
    this.isDropped = true;
    if (this.place !== 'here') this.calculator?.drop(this.key);
  }

  /** Whether the result has changed, or may have, since it was last computed. True if it never was. */
  hasChanged(nowMs: number): boolean {
    return !this.known || this.known.version !== this.version || !holdsAt(this.known, nowMs);
  }

  /**
   * The result, from what had been counted at the moment of this call or later. Computed only if something has changed since the
   * last time, and once for all who ask meanwhile. @throws CopyLost if the round must be loaded again
   */
  async result(poll: Poll): Promise<OpenResult> {
    const wanted = this.version;
    const askedMs = performance.now();
    for (;;) {
      const known = this.usable(poll, wanted, askedMs);
      if (known) return known.result;
      if (!this.computing) break;
      await this.computing.catch(() => {});
    }
    const computing = this.compute(poll);
    this.computing = computing;
    try {
      return (await computing).result;
    } finally {
      this.computing = undefined;
    }
  }

  private usable(poll: Poll, wanted: number, askedMs: number): Known | undefined {
    const { known } = this;
    if (!known || known.version < wanted) return undefined;
    // What was begun after the question is good enough, even if it has expired since: otherwise, each of many callers would compute.
    if (known.startMs < askedMs && !holdsAt(known, Date.now())) return undefined;
    // Compared by identity: a changed poll is read as a new object, and `pollInRound` keeps the definition object of the
    // current poll.
    const isSame =
      known.poll.definition === poll.definition &&
      known.poll.status === poll.status &&
      known.poll.recount === poll.recount &&
      known.poll.draws === poll.draws &&
      known.poll.withdrawals === poll.withdrawals &&
      known.poll.interruptions?.length === poll.interruptions?.length;
    return isSame ? known : undefined;
  }

  private async compute(poll: Poll): Promise<Known> {
    if (this.place === 'here' && this.isHeavy()) this.moving = this.move();
    await this.moving;
    if (this.isDropped) throw new CopyLost();
    const { version } = this;
    const nowMs = Date.now();
    const startMs = performance.now();
    const computed = this.place === 'away' ? await this.computeAway(poll, nowMs) : this.computeHere(poll, nowMs);
    this.known = { ...computed, poll, version, atMs: nowMs, startMs };
    return this.known;
  }

  private computeHere(poll: Poll, nowMs: number): Computed {
    return { result: resultOf(poll, this.slices, nowMs), untilMs: changesAt(poll, this.slices, nowMs) };
  }

  private async computeAway(poll: Poll, nowMs: number): Promise<Computed> {
    if (!this.calculator) throw new CopyLost();
    try {
      return await this.calculator.compute(this.key, poll, nowMs);
    } catch (error) {
      throw this.isDropped ? new CopyLost() : error;
    }
  }

  private async move(): Promise<void> {
    this.place = 'moving';
    try {
      await this.calculator?.hold(this.key, this.slices, () => !this.isDropped);
    } catch {
      // The calculator says what is wrong, and rests for a while.
      this.place = 'here';
      return;
    }
    if (this.isDropped) return;
    this.place = 'away';
    this.slices.fill(undefined);
  }

  private isHeavy(): boolean {
    if (!this.calculator?.isAvailable) return false;
    return this.slices.reduce((casts, slice) => casts + (slice?.tally.size ?? 0), 0) > HEAVY_CASTS;
  }
}

/** Whether votes that have expired, or a clock that was set back, make no difference. */
function holdsAt({ poll, atMs, untilMs }: Known, nowMs: number): boolean {
  return nowMs < untilMs && (nowMs >= atMs || !isTimeDependent(poll.definition));
}

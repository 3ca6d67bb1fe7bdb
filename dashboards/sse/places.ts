import { Refusal } from '../../core/runtime/refusal.ts';

/** Streams of operators that have a place when there is none left for others. */
export const OPERATORS_RESERVE = 64;
/** Streams of rooms without polls, in total and from one address: screens that were opened early. */
export const MAX_EARLY = 100;
export const MAX_EARLY_PER_CALLER = 10;

/** What a viewer follows as: an operator, the public, or somebody who is early, because the room has no poll yet. */
export type Kind = 'operator' | 'public' | 'early';

/** Why there is no place: see the codes of refusals. */
type Problem = 'too-many-viewers' | 'too-many-streams' | 'no-such-room';

/** A place that a viewer has until its connection closes. */
export interface Place {
  kind: Kind;
  readonly caller: string;
}

interface PlaceLimits {
  readonly total: number;
  readonly perCaller: number;
}

/** Who may open one more stream. Nobody can take the places of all, nor those that are kept for operators. */
export class Places {
  private readonly limits: PlaceLimits;
  private readonly taken: Readonly<Record<Kind, Map<string, number>>> = {
    operator: new Map(),
    public: new Map(),
    early: new Map(),
  };
  private readonly sizes: Record<Kind, number> = { operator: 0, public: 0, early: 0 };

  constructor(limits: PlaceLimits) {
    this.limits = limits;
  }

  /**
   * Takes a place.
   *
   * @param kind what the viewer would be; operators need the reserve only when everything else is taken
   * @throws Refusal too-many-viewers, too-many-streams, no-such-room
   */
  take(kind: Kind, caller: string): Place {
    const problem = this.problem(kind, caller);
    if (problem) throw this.refusal(problem, kind, caller);
    const place = { kind, caller };
    this.count(place, 1);
    return place;
  }

  /** Why a viewer gets no place; undefined if it gets one. */
  problem(kind: Kind, caller: string): Problem | undefined {
    return kind === 'operator' ? this.problemOfOperator() : this.problemOf(kind, caller);
  }

  leave(place: Place): void {
    this.count(place, -1);
  }

  /** The room of somebody who was early has a poll now: an ordinary place, if there is one, makes room for others. */
  settle(place: Place): void {
    if (place.kind !== 'early' || this.problemOf('public', place.caller)) return;
    this.count(place, -1);
    place.kind = 'public';
    this.count(place, 1);
  }

  private problemOfOperator(): Problem | undefined {
    const isFull = this.sizes.operator + this.sizes.public >= this.limits.total;
    if (!isFull || this.sizes.operator < OPERATORS_RESERVE) return undefined;
    return 'too-many-viewers';
  }

  private problemOf(kind: 'public' | 'early', caller: string): Problem | undefined {
    const own = this.own(kind, caller);
    if (kind === 'early') {
      return this.sizes.early < MAX_EARLY && own < MAX_EARLY_PER_CALLER ? undefined : 'no-such-room';
    }
    const { total, perCaller } = this.limits;
    if (this.sizes.public >= total) return 'too-many-viewers';
    return own < perCaller ? undefined : 'too-many-streams';
  }

  /** Apart from the problem, because an error costs more than everything else here. */
  private refusal(problem: Problem, kind: Kind, caller: string): Refusal {
    if (problem === 'too-many-streams') {
      const own = this.own(kind, caller);
      const why = `there are ${own} streams open from this address, as many as there may be (POLLCAST_MAX_VIEWERS_PER_ADDRESS)`;
      return new Refusal(problem, why);
    }
    if (problem === 'no-such-room') {
      return new Refusal(problem, 'this room has no poll yet, and too many are waiting for one; try again later');
    }
    const why =
      kind === 'operator'
        ? 'operators have too many streams open at the moment; close some of them'
        : 'there are too many viewers at the moment; try again shortly';
    return new Refusal(problem, why);
  }

  private own(kind: Kind, caller: string): number {
    return this.taken[kind].get(caller) ?? 0;
  }

  private count({ kind, caller }: Place, change: 1 | -1): void {
    this.sizes[kind] += change;
    const now = this.own(kind, caller) + change;
    if (now > 0) this.taken[kind].set(caller, now);
    else this.taken[kind].delete(caller);
  }
}

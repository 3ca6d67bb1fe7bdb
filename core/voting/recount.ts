import type { Entry } from './entry.ts';
import { type FoldState, fold } from './fold.ts';
import { roundKey, type Slice } from './slice.ts';

/** Counts one round again from a partition's whole log, holding nothing but that round. */
export class Recount {
  private readonly state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} };
  private readonly poll: string;
  private readonly round: number;

  constructor(poll: string, round: number) {
    this.poll = poll;
    this.round = round;
  }

  /** Folds the next entries of the log; those of other rounds only advance the producers' sequences. */
  add(entries: readonly Entry[]): void {
    fold(
      this.state,
      entries.map((entry) => entryOfRound(entry, this.poll, this.round)).filter((entry) => entry !== undefined),
    );
  }

  /** The slice as counted so far; undefined when the log holds no open marker of the round. */
  get slice(): Slice | undefined {
    return this.state.slices.get(roundKey(this.poll, this.round));
  }
}

/** What of an entry is about one round; undefined for another round's marker. Keeps the producer's sequence. */
export function entryOfRound(entry: Entry, poll: string, round: number): Entry | undefined {
  const isOurs = (part: { poll: string; round: number }) => part.poll === poll && part.round === round;
  if (entry.type !== 'votes') return isOurs(entry) ? entry : undefined;
  return { ...entry, rounds: entry.rounds.filter(isOurs), refused: {} };
}

/** How two counts of the same slice differ, as sentences; empty when they agree. */
export function differences(live: Slice | undefined, recounted: Slice | undefined): string[] {
  if (!live && !recounted) return [];
  if (!live) return ['the log holds a round that the live count does not know'];
  if (!recounted) return ['the live count holds a round whose opening is not in the log'];
  const found: string[] = [];
  for (const choice of new Set([...live.tally.keys(), ...recounted.tally.keys()])) {
    const [is, should] = [live.tally.get(choice) ?? 0, recounted.tally.get(choice) ?? 0];
    if (is !== should) found.push(`choice ${JSON.stringify(choice)}: live ${is}, recounted ${should}`);
  }
  for (const part of ['received', 'counted', 'replaced', 'redelivered'] as const) {
    const [is, should] = [live.accounting[part], recounted.accounting[part]];
    if (is !== should) found.push(`${part}: live ${is}, recounted ${should}`);
  }
  const reasons = new Set([...Object.keys(live.accounting.rejected), ...Object.keys(recounted.accounting.rejected)]);
  for (const reason of reasons as Set<keyof typeof live.accounting.rejected>) {
    const [is, should] = [live.accounting.rejected[reason] ?? 0, recounted.accounting.rejected[reason] ?? 0];
    if (is !== should) found.push(`rejected ${reason}: live ${is}, recounted ${should}`);
  }
  return found;
}

import { newPseudonymKey } from '../devices/pseudonym.ts';
import { interruptionsBefore, type Marker, type OpenMarker } from '../voting/count/entry.ts';
import type { Definition } from '../voting/kinds/definition.ts';
import { isUnderWay, type Poll, type Status, stretchKey } from '../voting/poll/poll.ts';
import { NO_RECORD, type RoundRecord, recordOf } from '../voting/rules/record.ts';

/** What the log says about the last stretch of a round. */
interface Stretch {
  readonly round: number;
  readonly interruptions: number;
  readonly opened: Map<number, OpenMarker>;
  readonly closed: Map<number, Marker>;
}

/** Rebuilds polls from the markers in the log, for when their documents are lost. Drafts are not in the log. */
export class RebuiltPolls {
  private readonly partitions: number;
  private readonly stretches = new Map<string, Map<number, Stretch>>();
  private readonly firstMs = new Map<string, number>();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  /** Adds a marker of a partition. Those of each partition must come in their order. */
  add(partition: number, marker: Marker): void {
    const { poll, round, atMs } = marker;
    this.firstMs.set(poll, Math.min(atMs, this.firstMs.get(poll) ?? atMs));
    const rounds = this.stretches.get(poll) ?? new Map<number, Stretch>();
    this.stretches.set(poll, rounds);
    const interruptions = interruptionsBefore(marker);
    let stretch = rounds.get(round);
    if (!stretch || stretch.interruptions < interruptions) {
      stretch = { round, interruptions, opened: new Map(), closed: new Map() };
      rounds.set(round, stretch);
    }
    if (stretch.interruptions > interruptions) return;
    if (marker.type === 'open') stretch.opened.set(partition, marker);
    else stretch.closed.set(partition, marker);
  }

  /**
   * The polls. A round that is not closed goes on, unless its votes were pseudonymous: without the key, it can only be closed.
   *
   * @param kept documents that survived. They add what the log does not have, but never contradict it.
   */
  polls(kept: ReadonlyMap<string, Poll>): Poll[] {
    const logged = [...this.stretches].flatMap(([id, rounds]) => this.poll(id, rounds, kept.get(id)) ?? []);
    const ids = new Set(logged.map(({ definition }) => definition.poll));
    return [...logged, ...[...kept].filter(([id]) => !ids.has(id)).map(([, poll]) => withKey(poll))];
  }

  private poll(id: string, rounds: ReadonlyMap<number, Stretch>, kept: Poll | undefined): Poll | undefined {
    const all = [...rounds.values()].sort((a, b) => a.round - b.round);
    const last = all.at(-1) as Stretch;
    const [first] = last.opened.values();
    // A poll whose opening was removed from the log, or that has been opened again since, is known only by its document.
    if (!first || (kept && kept.round > last.round)) return kept && withKey(kept);
    const earlier = all.slice(0, -1).map(recordIn);
    const firstRound = all[0]?.round ?? last.round;
    const rebuilt: Poll = {
      ...NO_RECORD,
      ...recordIn(last),
      definition: first.definition as Definition,
      status: this.statusOf(last),
      round: last.round,
      createdAtMs: this.firstMs.get(id) ?? 0,
      ...(firstRound > 1 ? { retiredRounds: firstRound - 1 } : {}),
      ...(earlier.length > 0 ? { pastRounds: earlier } : {}),
    };
    const isSame = kept && isSameStretch(kept, rebuilt);
    return withKey(isSame ? { ...kept, status: agreed(kept.status, rebuilt.status) } : rebuilt);
  }

  private statusOf({ opened, closed }: Stretch): Status {
    if (closed.size >= this.partitions) return 'closed';
    if (closed.size > 0) return 'closing';
    return opened.size >= this.partitions ? 'open' : 'opening';
  }
}

/**
 * A poll whose round does not go on without its key, because votes would be stored under the names of their voters. One that is
 * opening has no votes yet, so it gets another key.
 */
function withKey(poll: Poll): Poll {
  const { definition, status, pseudonymKey } = poll;
  const { secrecy = 'named' } = definition;
  if (secrecy === 'named' || pseudonymKey !== undefined || !isUnderWay(status)) return poll;
  return status === 'opening' ? { ...poll, pseudonymKey: newPseudonymKey() } : { ...poll, status: 'closing' };
}

function isSameStretch(kept: Poll, rebuilt: Poll): boolean {
  return stretchKey(kept) === stretchKey(rebuilt);
}

/** The document may know that voting has ended; everything else is decided by the markers. */
function agreed(kept: Status, logged: Status): Status {
  return logged === 'open' && (kept === 'grace' || kept === 'closing') ? kept : logged;
}

function recordIn({ opened, closed }: Stretch): RoundRecord {
  const [open] = opened.values();
  const [close] = closed.values();
  const times = { openedAtMs: open?.atMs, ...(close ? { closedAtMs: close.atMs } : {}) };
  return recordOf({ ...times, ...withoutGaps(close?.record ?? open?.record ?? {}) });
}

function withoutGaps(record: RoundRecord): RoundRecord {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

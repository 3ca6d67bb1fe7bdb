import { Refusal } from '../../runtime/refusal.ts';
import { scanLog } from '../../store/log-scan.ts';
import { type Offset, START } from '../../store/offset.ts';
import type { Store } from '../../store/store.ts';
import { Replay } from '../../voting/count/replay.ts';
import type { Slice } from '../../voting/count/slice.ts';
import type { Poll } from '../../voting/poll/poll.ts';

/** Counts one round of one partition again from the log, as far as is wanted, and can go on from there. */
export class PartitionReplay {
  readonly partition: number;
  private readonly store: Store;
  private readonly replay: Replay;
  private readonly onEntry: () => void;
  private reached: Offset = START;
  private read = 0;

  /** @param onEntry called for each entry that is read; what it throws ends the replay */
  constructor(store: Store, partition: number, { definition, round }: Poll, onEntry: () => void) {
    this.store = store;
    this.partition = partition;
    this.replay = new Replay(definition.poll, round);
    this.onEntry = onEntry;
  }

  /** The offset of the last entry that was replayed. */
  get offset(): Offset {
    return this.reached;
  }

  /** How many entries were replayed. */
  get entries(): number {
    return this.read;
  }

  get slice(): Slice | undefined {
    return this.replay.slice;
  }

  /** Replays the entries up to an offset; by default, up to the last entry that is counted now. */
  async advance(end?: Offset): Promise<void> {
    for await (const _ of this.steps(end)) {
      // Each step replays one entry.
    }
  }

  /** Replays the same entries one at a time, and yields after each. */
  async *steps(end?: Offset): AsyncGenerator<void> {
    for await (const { offset, entry } of scanLog(this.store, this.partition, this.reached, end)) {
      this.onEntry();
      if (entry.type === 'newer') throw newerEntry(this.partition, offset, entry.format);
      this.replay.add([entry]);
      this.reached = offset;
      this.read++;
      yield;
    }
  }
}

/** What stands in the way of reading a log to which newer processes have written. */
export function newerEntry(partition: number, offset: Offset, format: number): Refusal {
  const why = `entry ${offset} of partition ${partition} has format ${format}, which this version cannot read; ask a newer process`;
  return new Refusal('newer-entry', why);
}

import type { Commit } from '../../../core/store/store.ts';
import { balances } from '../../../core/voting/count/accounting.ts';
import type { Entry, Marker } from '../../../core/voting/count/entry.ts';
import { partsOf } from '../../../core/voting/count/packet.ts';
import type { Vote } from '../../../core/voting/count/vote.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import type { Database, Watcher } from '../store/database.ts';
import { type Stretch, stretchAfter } from './stretch.ts';
import { Violation } from './trace.ts';

/** One press of a button. */
export interface Press {
  readonly device: string;
  readonly poll: string;
  readonly choice: string;
  /** Counts the presses of the device. */
  readonly order: number;
  readonly qos: 0 | 1 | 2;
  readonly n: number | undefined;
  /** In the payload, unless the payload is plain text. */
  readonly t: number | undefined;
  /** The packet id; no device uses one twice. */
  packet: number;
  isAcknowledged: boolean;
  /** What the receipt said; undefined if none arrived. */
  receipt: string | undefined;
}

/** A copy of a press in the log. */
interface Copy {
  /** In the store’s journal. */
  readonly position: number;
  /** Whether it lies between an open and a close marker. */
  readonly isInTime: boolean;
}

/** Recognises the press that a vote in the log stands for. */
function keyOf(device: string, { t, packet }: { t?: number | undefined; packet?: number | undefined }): string {
  return `${device} ${t === undefined ? `#${packet}` : t}`;
}

/**
 * Knows every press, and what must have become of it: whatever is acknowledged has been stored so that nothing can lose it, and
 * nothing is promised that is not kept.
 */
export class Ledger implements Watcher {
  /** How many checks were made, by what was checked. */
  readonly checks = new Map<string, number>();
  readonly presses: Press[] = [];
  private readonly byKey = new Map<string, Press>();
  /** The copies of each press that are in the log. */
  private readonly stored = new Map<Press, Copy[]>();
  /** Rounds by partition, poll and number, as their markers in the log say. */
  private readonly stretches = new Map<string, Stretch>();
  private readonly closes = new Set<string>();
  private readonly database: Database;
  /** Called for the first promise that is broken. */
  private readonly onViolation: (violation: Violation) => void;

  constructor(database: Database, onViolation: (violation: Violation) => void) {
    this.database = database;
    this.onViolation = onViolation;
    database.watcher = this;
  }

  press(press: Press): void {
    this.presses.push(press);
    this.byKey.set(keyOf(press.device, press), press);
  }

  /** The press that a vote stands for; undefined if no device has made it. */
  pressOf(vote: Vote): Press | undefined {
    const { device, t, packet } = vote;
    return this.byKey.get(keyOf(device, { t, packet: packet === undefined ? undefined : partsOf(packet).id }));
  }

  appended(partition: number, entry: Entry, position: number): () => void {
    if (entry.type !== 'votes') return this.marked(`${partition} ${entry.poll}/${entry.round}`, entry);
    const undos: (() => void)[] = [];
    for (const { votes, poll, round } of entry.rounds) {
      const isInTime = this.stretches.get(`${partition} ${poll}/${round}`)?.isOpen === true;
      for (const vote of votes) {
        const press = this.pressOf(vote);
        this.demand('a vote in the log was made by a device', press !== undefined || vote.packet === undefined, () => {
          return `${JSON.stringify(vote)} in ${poll}`;
        });
        if (!press) continue;
        const copies = this.stored.get(press) ?? [];
        this.stored.set(press, copies);
        copies.push({ position, isInTime });
        undos.push(() => copies.pop());
      }
    }
    return () => {
      for (const undo of undos) undo();
    };
  }

  committed({ slices, partition }: Commit): void {
    for (const { accounting, poll, round, open, interruptions = 0 } of slices) {
      if (!open) this.closes.add(`${partition} ${poll}/${round} ${interruptions}`);
      this.demand('received = counted + replaced + redelivered + rejected', balances(accounting), () => {
        return `${poll}/${round} in partition ${partition}: ${JSON.stringify(accounting)}`;
      });
    }
  }

  /** True if the close marker of a round that is closed has been counted in a partition. */
  hasFoldedClose(partition: number, { definition, round, interruptions = [] }: Poll): boolean {
    return this.closes.has(`${partition} ${definition.poll}/${round} ${interruptions.length}`);
  }

  /** A broker has sent PUBACK or PUBREC. */
  acknowledged(press: Press): void {
    press.isAcknowledged = true;
    this.settle(press, 'acknowledged');
  }

  /** A broker has sent a receipt. */
  receipted(press: Press, receipt: string): void {
    press.receipt = receipt;
    if (!receipt.startsWith('rejected')) this.settle(press, receipt);
  }

  /** True if a copy of the press is in the log. */
  isStored(press: Press): boolean {
    return (this.stored.get(press)?.length ?? 0) > 0;
  }

  demand(what: string, isKept: boolean, details: () => string): void {
    this.checks.set(what, (this.checks.get(what) ?? 0) + 1);
    if (!isKept) this.onViolation(new Violation(`${what}: not true of ${details()}`));
  }

  /** What has been acknowledged and was not rejected is stored, and safe. */
  private settle(press: Press, how: string): void {
    const copies = this.stored.get(press) ?? [];
    // Without a receipt yet, nobody outside can tell an acknowledged rejection from an acknowledged vote.
    if (copies.length === 0 && press.receipt === undefined) return;
    if (press.receipt?.startsWith('rejected')) return;
    this.demand('acknowledged ⇒ stored', copies.length > 0, () => `${describe(press)}, ${how}`);
    if (copies.length === 0) return;
    const isSafe = copies.some(({ position }) => position <= this.database.journal.safe);
    this.demand('acknowledged ⇒ no failure can lose it', isSafe, () => `${describe(press)}, ${how}`);
    if (press.receipt === undefined) return;
    const isInTime = copies.some((copy) => copy.isInTime);
    this.demand('accepted ⇒ before the close', isInTime, () => describe(press));
  }

  private marked(key: string, marker: Marker): () => void {
    const before = this.stretches.get(key);
    const next = stretchAfter(before, marker);
    if (next) this.stretches.set(key, next);
    return () => (before ? this.stretches.set(key, before) : this.stretches.delete(key));
  }
}

export function describe({ device, poll, choice, order, qos, n, t, packet, receipt }: Press): string {
  const told = receipt === undefined ? 'no receipt' : `receipt “${receipt}”`;
  return `press ${order} of ${device} (${choice} in ${poll}, QoS ${qos}, packet ${packet}, n ${n}, t ${t}, ${told})`;
}

import type { LiveResults } from '../../../core/live/results.ts';
import { compareOffsets, START } from '../../../core/store/offset.ts';
import type { Ballot } from '../../../core/voting/count/ballot.ts';
import { BallotTable } from '../../../core/voting/count/ballots/table.ts';
import { decodeEntry } from '../../../core/voting/count/entries/codec.ts';
import { takeSequence } from '../../../core/voting/count/fold.ts';
import { differences, Replay } from '../../../core/voting/count/replay.ts';
import type { Slice } from '../../../core/voting/count/slice.ts';
import { type Poll, stretchKey } from '../../../core/voting/poll/poll.ts';
import type { Database } from '../store/database.ts';
import { describe, type Ledger, type Press } from './ledger.ts';
import { differencesFrom, referenceCount } from './reference.ts';

/** A promise of a receipt: these say that the vote is in the log before the close of its round. */
const PROMISES = /^(accepted|recorded)/;

/** Checks everything that is stored, when everything has been counted. */
export function checkCount(database: Database, ledger: Ledger): void {
  const inTime = new Set<Press>();
  const partitionOf = new Map<string, number>();
  for (let partition = 0; partition < database.partitions; partition++) {
    const entries = database
      .entriesAfter(partition, START, Number.POSITIVE_INFINITY)
      .map(({ bytes }) => decodeEntry(bytes));
    for (const [key, reference] of referenceCount(entries, (vote) => ledger.pressOf(vote))) {
      const [poll = '', round = ''] = key.split('/');
      for (const press of reference.inTime) inTime.add(press);
      const slice = database.slice(partition, poll, Number(round));
      const ballots = slice ? ballotsOf(database, partition, slice) : new Map<string, Ballot>();
      const found = slice ? differencesFrom(reference, slice, ballots) : ['it was not counted'];
      ledger.demand(
        'log ⇒ counted exactly once',
        found.length === 0,
        () => `${key} in ${partition}: ${found.join('; ')}`,
      );
      const replay = new Replay(poll, Number(round));
      replay.add(entries);
      const differing = differences(slice, replay.slice);
      ledger.demand('recount = count', differing.length === 0, () => `${key} in ${partition}: ${differing.join('; ')}`);
      for (const device of ballots.keys()) {
        const other = partitionOf.get(`${key} ${device}`);
        partitionOf.set(`${key} ${device}`, partition);
        ledger.demand('at most one ballot of a device', other === undefined, () => `${device} in ${key}`);
      }
    }
  }
  for (const press of ledger.presses) {
    const isPromised = press.receipt !== undefined && PROMISES.test(press.receipt);
    if (isPromised) ledger.demand('accepted ⇒ before the close', inTime.has(press), () => describe(press));
    if (press.isAcknowledged && isPromised) {
      ledger.demand('acknowledged ⇒ still stored', ledger.isStored(press), () => describe(press));
    }
  }
}

/** The ballots of a round: what is stored of them, and the votes behind the checkpoint. */
function ballotsOf(database: Database, partition: number, { poll, round, revote, open }: Slice): Map<string, Ballot> {
  const table = new BallotTable(revote);
  const { count, pages } = database.stored(partition, poll, round);
  table.load(pages.values(), count);
  const { offset, checkpoint = { offset, producers: new Map() } } = database.position(partition);
  const producers = new Map(checkpoint.producers);
  for (const { bytes, offset: at } of database.entriesAfter(partition, checkpoint.offset, Number.POSITIVE_INFINITY)) {
    const entry = decodeEntry(bytes);
    if (compareOffsets(at, offset) > 0) break;
    if (entry.type !== 'votes' || !takeSequence(producers, entry) || !open) continue;
    for (const one of entry.rounds) if (one.poll === poll && one.round === round) table.take(one.votes, entry.atMs);
  }
  return new Map(table);
}

/** Checks results as they are served: a final one includes the close marker of every partition, and never changes. */
export class ResultChecks {
  private readonly partitions: number;
  private readonly ledger: Ledger;
  /** The number of ballots in the final result of each stretch. */
  private readonly finals = new Map<string, number | null>();

  constructor(partitions: number, ledger: Ledger) {
    this.partitions = partitions;
    this.ledger = ledger;
  }

  /** Checks the result of a poll that a dashboard serves now. */
  async check(results: LiveResults, poll: Poll): Promise<void> {
    if (poll.status !== 'closed') return;
    const { final, ballots } = await results.result(poll);
    if (!final) return;
    const key = stretchKey(poll);
    for (let partition = 0; partition < this.partitions; partition++) {
      const isFolded = this.ledger.hasFoldedClose(partition, poll);
      this.ledger.demand('final ⇒ every close marker is folded', isFolded, () => `${key} in partition ${partition}`);
    }
    const before = this.finals.get(key) ?? ballots;
    this.finals.set(key, before);
    this.ledger.demand('a final result never changes', before === ballots, () => `${key}: ${before}, then ${ballots}`);
  }
}

import { BOM, type Cell, csvRows } from '../../core/runtime/csv.ts';
import type { Store } from '../../core/store/store.ts';
import { WITHDRAWN } from '../../core/voting/count/ballot.ts';
import { readCast } from '../../core/voting/count/cast.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { Answer } from '../../core/voting/result/leaderboard.ts';
import { interruptedMs } from '../../core/voting/rules/record.ts';

/** Ballots read at a time. In between, votes are acknowledged and other requests answered. */
const BALLOTS_TOGETHER = 500;
/** Rows per chunk of CSV. */
const ROWS_TOGETHER = 500;

/** Where ballots are read from, and how those who read many let other work go first. */
export interface BallotSource {
  readonly store: Store;
  readonly turns: { next(who: object): Promise<void> };
}

/** Every ballot that counts in a round, partition by partition. */
export async function* ballotsOf({ store, turns }: BallotSource, poll: string, round: number) {
  const me = {};
  let read = 0;
  for (let partition = 0; partition < store.log.partitions; partition++) {
    for await (const [voter, ballot] of store.ballots.all(partition, poll, round)) {
      if (++read % BALLOTS_TOGETHER === 0) await turns.next(me);
      if (ballot.choice !== WITHDRAWN) yield { voter, ...ballot, ...readCast(ballot.choice) };
    }
  }
}

/** Every ballot that counts in a round as CSV, in chunks. */
export async function* ballotTable(source: BallotSource, poll: string, round: number): AsyncGenerator<string> {
  let rows: Cell[][] = [['device', 'choice', 'n', 'at', 'weight', 'group', 'late']];
  yield BOM;
  for await (const { voter, choice, n, atMs, weight, group, late } of ballotsOf(source, poll, round)) {
    rows.push([voter, choice, n, new Date(atMs).toISOString(), weight, group, late ? 'late' : '']);
    if (rows.length < ROWS_TOGETHER) continue;
    yield csvRows(rows);
    rows = [];
  }
  yield csvRows(rows);
}

/** The ballots of a round as answers to a quiz question, for leaderboards. */
export async function answersOf(source: BallotSource, poll: Poll): Promise<Answer[]> {
  const { definition, round, openedAtMs = 0 } = poll;
  const answers: Answer[] = [];
  for await (const { voter, choice, group, atMs } of ballotsOf(source, definition.poll, round)) {
    answers.push({ voter, choice, group, tookMs: atMs - openedAtMs - interruptedMs(poll, atMs) });
  }
  return answers;
}

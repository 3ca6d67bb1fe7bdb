import { BOM, type Cell, csvRows } from '../../core/runtime/csv.ts';
import type { Store } from '../../core/store/store.ts';
import { WITHDRAWN } from '../../core/voting/count/ballot.ts';
import { readCast } from '../../core/voting/count/cast.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { Answer } from '../../core/voting/result/leaderboard.ts';
import { interruptedMs } from '../../core/voting/rules/record.ts';

/** Rows per chunk of CSV. */
const ROWS_TOGETHER = 500;

/** Every ballot that counts in a round, partition by partition. */
export async function* ballotsOf(store: Store, poll: string, round: number) {
  for (let partition = 0; partition < store.log.partitions; partition++) {
    for await (const [voter, ballot] of store.ballots.all(partition, poll, round)) {
      if (ballot.choice !== WITHDRAWN) yield { voter, ...ballot, ...readCast(ballot.choice) };
    }
  }
}

/** Every ballot that counts in a round as CSV, in chunks. */
export async function* ballotTable(store: Store, poll: string, round: number): AsyncGenerator<string> {
  let rows: Cell[][] = [['device', 'choice', 'n', 'at', 'weight', 'group', 'late']];
  yield BOM;
  for await (const { voter, choice, n, atMs, weight, group, late } of ballotsOf(store, poll, round)) {
    rows.push([voter, choice, n, new Date(atMs).toISOString(), weight, group, late ? 'late' : '']);
    if (rows.length < ROWS_TOGETHER) continue;
    yield csvRows(rows);
    rows = [];
  }
  yield csvRows(rows);
}

/** The ballots of a round as answers to a quiz question, for leaderboards. */
export async function answersOf(store: Store, poll: Poll): Promise<Answer[]> {
  const { definition, round, openedAtMs = 0 } = poll;
  const answers: Answer[] = [];
  for await (const { voter, choice, group, atMs } of ballotsOf(store, definition.poll, round)) {
    answers.push({ voter, choice, group, tookMs: atMs - openedAtMs - interruptedMs(poll, atMs) });
  }
  return answers;
}

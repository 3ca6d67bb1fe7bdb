import type { Store } from '../core/store/store.ts';
import { readCast } from '../core/voting/cast.ts';
import { WITHDRAWN } from '../core/voting/fold.ts';
import type { Answer } from '../core/voting/leaderboard.ts';
import type { Poll } from '../core/voting/poll.ts';
import { BOM, csvLine } from './csv.ts';

/** Every ballot of a round that counts, partition by partition. */
export async function* ballotsOf(store: Store, poll: string, round: number) {
  for (let partition = 0; partition < store.log.partitions; partition++) {
    for await (const [voter, ballot] of store.counts.scanBallots(partition, poll, round)) {
      if (ballot.choice !== WITHDRAWN) yield { voter, ...ballot, ...readCast(ballot.choice) };
    }
  }
}

/** Every ballot of a round as CSV. */
export async function* ballotLines(store: Store, poll: string, round: number): AsyncGenerator<string> {
  yield BOM + csvLine(['device', 'choice', 'n', 'at', 'weight', 'group', 'late']);
  for await (const { voter, choice, n, atMs, weight, group, late } of ballotsOf(store, poll, round)) {
    yield csvLine([voter, choice, n, new Date(atMs).toISOString(), weight, group, late ? 'late' : '']);
  }
}

/** Every ballot of a round as an answer, for leaderboards. */
export async function answersOf(store: Store, { definition, round, openedAtMs = 0 }: Poll): Promise<Answer[]> {
  const answers: Answer[] = [];
  for await (const { voter, choice, group, atMs } of ballotsOf(store, definition.poll, round)) {
    answers.push({ voter, choice, group, tookMs: atMs - openedAtMs });
  }
  return answers;
}

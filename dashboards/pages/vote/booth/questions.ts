import type { Question } from '../../ballot/form.ts';
import type { VoterConnection } from './connection.ts';
import { sleep } from './sleep.ts';

/** How many ms to wait for a poll’s question before sending a vote anyway. */
const QUESTION_LIMIT_MS = 3_000;
/** The interval in ms at which to check whether the question has arrived. */
const CHECK_EVERY_MS = 50;

/** The questions received on this connection, by poll. */
export class Questions {
  private readonly byPoll = new Map<string, Question>();

  clear(): void {
    this.byPoll.clear();
  }

  /** @param question undefined if the poll no longer exists */
  learn(poll: string, question: Question | undefined): void {
    if (question) this.byPoll.set(poll, question);
    else this.byPoll.delete(poll);
  }

  /** The question of a poll, requested if necessary; undefined if it does not arrive in time. */
  async find(poll: string, connection: VoterConnection): Promise<Question | undefined> {
    const endMs = Date.now() + QUESTION_LIMIT_MS;
    if (this.byPoll.has(poll)) return this.byPoll.get(poll);
    const topics = [`poll/${poll}`];
    await connection.subscribe(topics);
    while (!this.byPoll.has(poll) && Date.now() < endMs && connection.isUp) await sleep(CHECK_EVERY_MS);
    connection.unsubscribe(topics);
    return this.byPoll.get(poll);
  }
}

import type { Offset } from '../../offset.ts';
import { type RedisConnection, replyOf } from '../connection/connection.ts';
import type { RedisKeys } from '../connection/keys.ts';
import { script } from '../scripts/script.ts';
import type { KnownLog, Survey } from './known.ts';

/** How many partitions are surveyed at the same time. */
const TOGETHER = 64;

const survey = script<'mark' | 'voteLog' | 'position', 'settled'>('log/survey');

type Reply = [
  mark: string,
  exists: number,
  last: Offset,
  newest: Offset,
  added: number,
  hasSettled: number,
  hasRecent: number,
  counted: Offset,
];

/** Finds out what is left of each partition, compared with what is known about its log. */
export async function surveyAll(
  connection: RedisConnection,
  keys: RedisKeys,
  logs: readonly KnownLog[],
): Promise<Survey[]> {
  const surveys: Survey[] = [];
  for (let first = 0; first < logs.length; first += TOGETHER) {
    const some = logs.slice(first, first + TOGETHER).map(async (known, i) => {
      const p = first + i;
      const { settled, recent } = known.expect(performance.now());
      const at = { mark: keys.mark(p), voteLog: keys.log(p), position: keys.position(p) };
      const call = survey(at, { settled }, [], recent);
      const reply = (await replyOf(connection.eval(...call))) as Reply;
      const [mark, exists, last, newest, added, hasSettled, hasRecent, counted] = reply;
      const has = { exists: exists === 1, hasSettled: hasSettled === 1, hasRecent: hasRecent === 1 };
      return { mark, last, newest, added, ...has, counted };
    });
    surveys.push(...(await Promise.all(some)));
  }
  return surveys;
}

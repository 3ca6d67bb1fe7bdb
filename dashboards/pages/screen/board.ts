import { useEffect, useState } from 'preact/hooks';
import type { PollAnswer } from '../../../client/answers.ts';
import type { Leaderboard } from '../../../core/voting/result/leaderboard.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import { BASE } from '../base.ts';
import { kindChartOf } from '../kinds/index.ts';

/** The leaderboard of a final quiz question. In a room, it also covers the room’s closed quiz questions. */
export function useBoard(result: Result | undefined, room: string | undefined): Leaderboard | undefined {
  const [board, setBoard] = useState<Leaderboard>();
  const hasBoard = result !== undefined && kindChartOf(result).hasLeaderboard && result.final && !result.hidden;
  useEffect(() => {
    setBoard(undefined);
    if (!hasBoard || !result) return;
    let isGone = false;
    void (async () => {
      const polls = room === undefined ? [result.poll] : await pollsOf(room, result.poll);
      // If the results of another poll are hidden, the leaderboard covers this question only.
      const found = (await boardOf(polls)) ?? (polls.length > 1 ? await boardOf([result.poll]) : undefined);
      if (!isGone) setBoard(found);
    })();
    return () => {
      isGone = true;
    };
  }, [hasBoard, result?.poll, result?.round]);
  return board;
}

async function boardOf(polls: readonly string[]): Promise<Leaderboard | undefined> {
  const query = polls.map(encodeURIComponent).join(',');
  const response = await fetch(`${BASE}/api/leaderboard?polls=${query}`).catch(() => undefined);
  return response?.ok ? await response.json() : undefined;
}

/** The maximum number of polls that a leaderboard may cover. */
const MAX_POLLS = 50;

/** The current poll, and the closed polls of its room that award points. */
async function pollsOf(room: string, current: string): Promise<string[]> {
  const response = await fetch(`${BASE}/api/polls`).catch(() => undefined);
  if (!response?.ok) return [current];
  const { polls } = (await response.json()) as { polls: readonly PollAnswer[] };
  const own = polls.filter((one) => one.room === room && one.status === 'closed' && kindChartOf(one).hasLeaderboard);
  return [...new Set([current, ...own.map(({ poll }) => poll)])].slice(0, MAX_POLLS);
}

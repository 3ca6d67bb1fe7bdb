import { useEffect, useState } from 'preact/hooks';
import type { Leaderboard as Board } from '../../../core/voting/leaderboard.ts';
import type { Result } from '../../../core/voting/result.ts';

/** The leaderboard of a quiz question that is final; in a room, of all its questions so far. */
export function useBoard(result: Result | undefined, room: string | undefined): Board | undefined {
  const [board, setBoard] = useState<Board>();
  const isQuiz = result?.kind === 'quiz' && result.final && !result.hidden;
  useEffect(() => {
    setBoard(undefined);
    if (!isQuiz || !result) return;
    let isGone = false;
    void (async () => {
      const polls = room === undefined ? [result.poll] : await quizPollsOf(room, result.poll);
      // Where one of the others may not be seen, this question has a board of its own.
      const found = (await boardOf(polls)) ?? (polls.length > 1 ? await boardOf([result.poll]) : undefined);
      if (!isGone) setBoard(found);
    })();
    return () => {
      isGone = true;
    };
  }, [isQuiz, result?.poll, result?.round]);
  return board;
}

async function boardOf(polls: readonly string[]): Promise<Board | undefined> {
  const query = polls.map(encodeURIComponent).join(',');
  const response = await fetch(`/api/leaderboard?polls=${query}`).catch(() => undefined);
  return response?.ok ? await response.json() : undefined;
}

/** Leaderboards add up so many polls at most. */
const MAX_POLLS = 50;

async function quizPollsOf(room: string, current: string): Promise<string[]> {
  const response = await fetch('/api/polls').catch(() => undefined);
  if (!response?.ok) return [current];
  const { polls } = (await response.json()) as {
    polls: { poll: string; room?: string; kind: string; status: string }[];
  };
  const own = polls.filter((poll) => poll.room === room && poll.kind === 'quiz' && poll.status === 'closed');
  return [...new Set([current, ...own.map(({ poll }) => poll)])].slice(0, MAX_POLLS);
}

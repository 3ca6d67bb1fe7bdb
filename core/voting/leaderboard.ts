import { kinds } from './kinds/index.ts';
import type { Definition } from './poll.ts';

/** An answer to one question. */
export interface Answer {
  readonly voter: string;
  readonly choice: string;
  readonly group?: string | undefined;
  /** From the opening to the vote's arrival, ms. */
  readonly tookMs: number;
}

export interface Place {
  /** 1 for the best; those who are level share a place, and the next ones are left out: 1, 2, 2, 4. */
  readonly place: number;
  readonly name: string;
  readonly points: number;
}

export interface Leaderboard {
  readonly players: readonly Place[];
  /** Teams are the devices' groups; their points are the mean of their players', so that large teams have no advantage. */
  readonly teams: readonly (Place & { readonly players: number })[];
}

/** The points of an answer: the credit's part of the poll's points, less what being slow costs; whole points. */
export function pointsOf(definition: Definition, { choice, tookMs }: Answer): number {
  const { points = 0, speed = 0, durationMs } = definition;
  const credit = kinds[definition.kind].credit?.(choice, definition) ?? 0;
  const slowness = durationMs === undefined ? 0 : Math.min(1, Math.max(0, tookMs / durationMs));
  return Math.round(points * credit * (1 - speed * slowness));
}

/** Who has how many points after several questions. */
export function leaderboardOf(questions: Iterable<{ definition: Definition; answers: Iterable<Answer> }>): Leaderboard {
  const players = new Map<string, { points: number; group: string | undefined }>();
  for (const { definition, answers } of questions) {
    for (const answer of answers) {
      const { voter, group } = answer;
      const before = players.get(voter);
      players.set(voter, {
        points: (before?.points ?? 0) + pointsOf(definition, answer),
        group: group ?? before?.group,
      });
    }
  }
  const teams = new Map<string, { sum: number; players: number }>();
  for (const { points, group } of players.values()) {
    if (group === undefined) continue;
    const team = teams.get(group) ?? { sum: 0, players: 0 };
    teams.set(group, { sum: team.sum + points, players: team.players + 1 });
  }
  const scored = [...teams].map(([name, { sum, players }]) => ({ name, points: Math.round(sum / players), players }));
  return { players: placed([...players].map(([name, { points }]) => ({ name, points }))), teams: placed(scored) };
}

function placed<T extends { name: string; points: number }>(scored: readonly T[]): (T & { place: number })[] {
  const sorted = scored.toSorted((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1));
  let place = 0;
  return sorted.map((one, i) => {
    if (one.points !== sorted[i - 1]?.points) place = i + 1;
    return { place, ...one };
  });
}

import type { Definition } from '../kinds/definition.ts';
import { kindOf } from '../kinds/index.ts';

/** A player’s answer to one question. */
export interface Answer {
  readonly voter: string;
  readonly choice: string;
  readonly group?: string | undefined;
  /** The time in ms from the opening to the answer; see `Ballot.atMs`. */
  readonly tookMs: number;
}

export interface LeaderboardPlace {
  /** 1 for the best. Players who are tied share a place, and the next places are skipped: 1, 2, 2, 4. */
  readonly place: number;
  /** The voter’s id, or the group of a team. */
  readonly name: string;
  /** What people call the voter, if ballots carry names and the voter has one. */
  readonly label?: string | undefined;
  readonly points: number;
}

export interface Leaderboard {
  readonly players: readonly LeaderboardPlace[];
  /** Teams are the devices' groups. A team's points are the mean of its players' points, so large teams have no advantage. */
  readonly teams: readonly (LeaderboardPlace & { readonly players: number })[];
}

/** The point settings of kinds with right answers. */
type PointSettings = Definition & { readonly points?: number; readonly speed?: number };

/** The points of an answer: the points for a right answer times the credit, less the penalty for slowness, rounded. */
export function pointsOf(definition: Definition, { choice, tookMs }: Answer): number {
  const credit = kindOf(definition).credit?.(choice, definition) ?? 0;
  const { points = 0, speed = 0, durationMs } = definition as PointSettings;
  const slowness = durationMs === undefined ? 0 : Math.min(1, Math.max(0, tookMs / durationMs));
  return Math.round(points * credit * (1 - speed * slowness));
}

/** Whether the poll has a right answer. Only then do answers earn points. */
export function hasRightAnswer(definition: Definition): boolean {
  return kindOf(definition).hasAnswer?.(definition) ?? false;
}

/**
 * The points of all players and teams over several questions.
 *
 * @param nameOf what people call a voter
 */
export function leaderboardOf(
  questions: Iterable<{ definition: Definition; answers: Iterable<Answer> }>,
  nameOf: (voter: string) => string | undefined = () => undefined,
): Leaderboard {
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
  return {
    players: withPlaces([...players].map(([name, { points }]) => ({ name, ...labelled(nameOf(name)), points }))),
    teams: withPlaces(scored),
  };
}

const labelled = (label: string | undefined) => (label === undefined ? {} : { label });

function withPlaces<T extends { name: string; points: number }>(scored: readonly T[]): (T & { place: number })[] {
  const sorted = scored.toSorted((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1));
  let place = 0;
  return sorted.map((one, i) => {
    if (one.points !== sorted[i - 1]?.points) place = i + 1;
    return { place, ...one };
  });
}

import t from 'tap';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { leaderboardOf, pointsOf } from '../../../../core/voting/result/leaderboard.ts';
import { define } from '../../../support/kind.ts';

t.test(
  'quiz answers earn points according to the credit rule, and leaderboards have teams and shared ranks',
  async (t) => {
    const several = (credit: 'strict' | 'balanced' | 'per-option') =>
      define('quiz', ['a', 'b', 'c', 'd'], { question: 'multiple', correct: ['b', 'd'], credit, points: 100 });
    const points = (definition: Definition, choice: string, tookMs = 0) =>
      pointsOf(definition, { voter: 'v', choice, tookMs });
    t.same(
      ['b,d', 'b', 'a,b,d', 'a'].map((choice) => points(several('strict'), choice)),
      [100, 0, 0, 0],
    );
    t.same(
      ['b,d', 'b', 'a,b,d', 'a,b'].map((choice) => points(several('balanced'), choice)),
      [100, 50, 50, 0],
    );
    t.same(
      ['b,d', 'b', 'a,b,d', 'a,c'].map((choice) => points(several('per-option'), choice)),
      [100, 75, 75, 0],
    );
    const fast = define('quiz', ['a', 'b'], { correct: ['a'], points: 1000, speed: 0.5, durationMs: 10_000 });
    t.same(
      [0, 5_000, 10_000, 99_000, -50].map((tookMs) => points(fast, 'a', tookMs)),
      [1000, 750, 500, 500, 1000],
    );
    const guess = define('numeric', [], { min: 0, max: 300, answer: 206, tolerance: 4 });
    t.same(
      ['202', '210', '211'].map((choice) => points(guess, choice)),
      [1000, 1000, 0],
    );
    const near = define('numeric', [], { min: 0, max: 300, answer: 206, tolerance: 4, proximity: 10, points: 100 });
    t.same(
      ['206', '210', '211', '219', '220', '1'].map((choice) => points(near, choice)),
      [100, 100, 90, 10, 0, 0],
    );
    const answer = (voter: string, choice: string, group?: string) => ({ voter, choice, group, tookMs: 0 });
    const board = leaderboardOf([
      { definition: fast, answers: [answer('ann', 'a', 'red'), answer('bob', 'a', 'blue'), answer('cy', 'b', 'red')] },
      { definition: fast, answers: [answer('ann', 'a', 'red'), answer('bob', 'a', 'blue'), answer('dee', 'a')] },
    ]);
    t.same(
      board.players.map(({ place, name, points }) => [place, name, points]),
      [
        [1, 'ann', 2000],
        [1, 'bob', 2000],
        [3, 'dee', 1000],
        [4, 'cy', 0],
      ],
    );
    t.same(
      board.teams.map(({ place, name, points, players }) => [place, name, points, players]),
      [
        [1, 'blue', 2000, 1],
        [2, 'red', 1000, 2],
      ],
      'a team scores the mean of its players’ points, so large teams have no advantage',
    );
  },
);

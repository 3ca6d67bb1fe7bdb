import { join } from 'node:path';
import t from 'tap';
import { redisServer } from '../../support/servers.ts';
import { stage } from '../../support/stage.ts';
import { finalOf, step, votes } from './chair.ts';

interface Player {
  readonly name: string;
  readonly points: number;
}

for (const store of ['embedded', 'redis'] as const) {
  t.test(
    `${store}: speed points depend on when an answer was given first, or on the press time if it is late`,
    async (t) => {
      const directory = t.testdir({ redis: {}, data: {} });
      const redis = store === 'redis' ? await redisServer(join(directory, 'redis')) : undefined;
      if (redis) t.teardown(() => redis.program.end());
      const s = await stage(t, redis ? { redisUrl: redis.url } : {}, join(directory, 'data'));
      const quiz = {
        kind: 'quiz',
        correct: ['b'],
        durationMs: 60_000,
        speed: 1,
        points: 1_000_000,
        lateGraceMs: 60_000,
        visibility: 'closed',
      };
      await s.openPoll('q', quiz);
      const timesOf = async () => {
        const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
        const rows = (body as string).trim().split('\r\n').slice(1);
        return Object.fromEntries(rows.map((row) => [row.split(',')[0], row.split(',')[3]]));
      };
      await votes(s, 'ann', 'q', 'b');
      await s.resultAfter('q', 1);
      const first = (await timesOf()).ann;
      await votes(s, 'ann', 'q', 'b', '{"c":"b","t":5}');
      await s.resultAfter('q', 3);
      t.equal((await timesOf()).ann, first, 'the same answer keeps its time');
      const openedAtMs = Date.parse((await s.call('GET', '/api/polls/q')).body.openedAt);
      t.equal((await step(s, 'q', 'close')).body.status, 'grace');
      await votes(s, 'bob', 'q', JSON.stringify({ c: 'b', t: openedAtMs }));
      await votes(s, 'ann', 'q', JSON.stringify({ c: 'b', t: openedAtMs }));
      await s.resultAfter('q', 5);
      t.equal((await timesOf()).ann, first, 'also if it is late');
      await step(s, 'q', 'close');
      await finalOf(s, 'q');
      const { players } = (await s.call('GET', '/api/leaderboard?polls=q')).body;
      const tookMs = Date.parse(first ?? '') - openedAtMs;
      const points = Object.fromEntries(players.map((player: Player) => [player.name, player.points]));
      t.same(points, { bob: 1_000_000, ann: Math.round(1_000_000 * (1 - tookMs / 60_000)) });
      const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
      t.same([body.agrees, body.differences], [true, []]);
    },
  );
}

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { EmbeddedSeries } from '../../core/store/series/embedded.ts';
import { InfluxSeries } from '../../core/store/series/influx.ts';
import { type Point, PointsRefused, type Series } from '../../core/store/series/series.ts';
import { timelineOf, windowOf } from '../../core/store/series/timeline.ts';
import { processorMetrics } from '../../processors/metrics.ts';
import { Backlog } from '../../processors/series/backlog.ts';
import { healthPoints } from '../../processors/series/device-health.ts';
import { eventually } from '../support/eventually.ts';
import { type InfluxServer, influxServer } from '../support/servers.ts';
import { type Stage, stage } from '../support/stage.ts';

const log = createLog('silent');
const second = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
const tags = (partition: number, more = {}) => ({ poll: 'q', round: '1', partition: String(partition), ...more });
const votes = (partition: number, atS: number, received: number): Point => ({
  measurement: 'votes',
  tags: tags(partition),
  fields: { received, counted: received, replaced: 0, redelivered: 0, rejected: 0 },
  atMs: second + atS * 1_000,
});
const ballots = (partition: number, option: string, atS: number, count: number): Point => ({
  measurement: 'ballots',
  tags: tags(partition, { option }),
  fields: { count },
  atMs: second + atS * 1_000,
});

/** Tests that every implementation of the time series must pass. */
async function keepsTimelines(t: Test, series: Series): Promise<void> {
  t.teardown(() => series.close());
  await series.write([votes(0, 0, 1), votes(0, 1, 5), votes(1, 1, 2), ballots(0, 'a', 1, 3), ballots(1, 'a', 1, 2)]);
  await series.write([votes(0, 1, 4), ballots(0, 'b', 3, 1), { ...votes(0, 2, 9), tags: { ...tags(0), poll: 'qq' } }]);
  await series.write([]);
  const window = windowOf(second, second + 3_000);
  const points = timelineOf(await series.samples('q', 1, window), window);
  t.same(
    points.map(({ votes, ballots }) => [votes, ballots]),
    [
      [1, {}],
      [6, { a: 5 }],
      [6, { a: 5 }],
      [6, { a: 5, b: 1 }],
    ],
    'partitions are summed, and the last value in a second holds until there is a newer one',
  );
  t.same(await series.samples('q', 2, window), []);
  const sum = (atS: number, received: number): Point => {
    const point = votes(0, atS, received);
    return { ...point, tags: { poll: 'sums', round: '1' } };
  };
  const earlier = (partition: number): Point => ({
    ...votes(partition, 0, 2),
    tags: { ...tags(partition), poll: 'sums' },
  });
  await series.write([earlier(0), earlier(1), sum(1, 5), sum(2, 6)]);
  t.same(
    timelineOf(await series.samples('sums', 1, window), window).map((point) => point.votes),
    [4, 5, 6, 6],
    'a value for all partitions replaces those that an earlier version wrote for each',
  );
  const coarse = { fromMs: Math.floor(second / 10_000) * 10_000, toMs: second + 10_000, stepMs: 10_000 };
  t.same(
    timelineOf(await series.samples('q', 1, coarse), coarse).at(-1)?.votes,
    6,
    'with coarser steps, the last value is the same',
  );
}

t.test('the number of steps in a window is limited', async (t) => {
  for (const seconds of [0, 1, 599, 600, 601, 86_400, 10_000_000]) {
    const { fromMs, toMs, stepMs } = windowOf(1_000_500, 1_000_500 + seconds * 1_000);
    const steps = (toMs - fromMs) / stepMs;
    t.ok(
      Number.isInteger(steps) && steps <= 602 && fromMs <= 1_000_500 && toMs > 1_000_500 + seconds * 1_000,
      `${seconds}`,
    );
  }
});

t.test('the embedded series keeps timelines', async (t) => keepsTimelines(t, await EmbeddedSeries.open(t.testdir())));

t.test('InfluxDB', async (t) => {
  const influx = await influxServer(t.testdir());
  t.teardown(() => influx.program.end());

  await t.test('keeps timelines', async (t) => keepsTimelines(t, await InfluxSeries.open(influx.url, log)));

  await t.test('the database is prepared once, and again if it has been deleted', async (t) => {
    const policies = await influx.query('SHOW RETENTION POLICIES ON pollcast');
    t.match(
      policies.filter(({ name }) => name !== 'autogen'),
      [
        { name: 'raw', duration: '168h0m0s', default: true },
        { name: 'minutes', duration: '8760h0m0s' },
      ],
    );
    t.ok((await influx.query('SHOW CONTINUOUS QUERIES')).length >= 6);
    const series = await InfluxSeries.open(influx.url, log);
    await influx.query('DROP DATABASE pollcast');
    await t.rejects(series.write([votes(0, 0, 1)]));
    await series.write([votes(0, 0, 1)]);
    t.equal((await influx.query('SELECT * FROM votes')).length, 1);
    const title = 'Lunch?",\n\\ evil=1 💶';
    await series.write([
      {
        measurement: 'events',
        tags: { poll: 'q', event: 'opened' },
        fields: { title, text: 'x', round: 1 },
        atMs: second,
      },
    ]);
    t.equal((await influx.query('SELECT * FROM events'))[0]?.title, title, 'text that people typed is escaped');
    await t.rejects(
      series.write([{ ...votes(0, 0, 1), atMs: 1_000 }]),
      PointsRefused,
      'points older than the retention period are refused',
    );
  });

  await t.test('the timeline of a poll survives outages of the database', (t) => survivesOutages(t, influx));
});

async function survivesOutages(t: Test, influx: InfluxServer): Promise<void> {
  const directory = t.testdir({ influx: {}, plain: {} });
  const s = await stage(t, { influxUrl: influx.url }, join(directory, 'influx'));
  const plain = await stage(t, {}, join(directory, 'plain'));
  await s.openPoll('lunch', { revote: 'last' });
  await plain.openPoll('lunch');
  const devices = await Promise.all(Array.from({ length: 20 }, (_, i) => s.device(`d${i}`)));
  const vote = (choices: string) =>
    Promise.all(devices.map((d, i) => d.vote('vote/lunch', choices[i % choices.length] ?? '')));
  await vote('abx');
  await eventually('points', async () => ((await last(influx)).votes === 20 ? true : undefined));
  t.same(await last(influx), await live(s));

  await influx.program.end();
  const startMs = performance.now();
  await vote('bbc');
  await s.resultAfter('lunch', 40);
  t.ok(performance.now() - startMs < 5_000, 'votes and results are not delayed by the outage');
  t.equal((await s.call('GET', '/ready')).status, 200);
  await eventually('a backlog', async () => ((await backlog(s)) > 0 ? true : undefined));
  t.equal((await s.call('GET', '/api/polls/lunch/timeline')).status, 503);
  await influx.program.start();
  await eventually('the series to catch up', async () => ((await last(influx)).votes === 40 ? true : undefined));
  await eventually('the backlog to be empty', async () => ((await backlog(s)) === 0 ? true : undefined));

  await influx.query('DROP DATABASE pollcast');
  await vote('c');
  await s.call('POST', '/api/polls/lunch/close', { operator: true });
  await eventually('the recreated database', async () =>
    (await last(influx).catch(() => ({ votes: 0 }))).votes === 60 ? true : undefined,
  );
  t.same(await last(influx), await live(s), 'the last points match the result');

  await s.call('POST', '/api/polls/lunch/reopen', { operator: true });
  await influx.program.end();
  await vote('a');
  await s.resultAfter('lunch', 20);
  await s.call('POST', '/api/polls/lunch/close', { operator: true });
  await eventually('a backlog', async () => ((await backlog(s)) > 0 ? true : undefined));
  await eventually('the final result', async () =>
    (await s.call('GET', '/api/polls/lunch/result')).body.final ? true : undefined,
  );
  const away = await s.call('POST', '/api/polls/lunch/recount', { operator: true });
  t.match(
    away.body,
    { agrees: true, differences: [/^time series: cannot be read/] },
    'the count is right all the same',
  );
  await influx.program.start();
  t.match((await s.call('POST', '/api/polls/lunch/recount', { operator: true })).body, { agrees: true });
  await eventually('the series to catch up', async () => ((await backlog(s)) === 0 ? true : undefined));

  const { body } = await s.call('GET', '/api/polls/lunch/timeline');
  t.match(body.points.at(-1), { votes: 20, ballots: { a: 20, b: 0, c: 0 } });
  await (await plain.device('one')).vote('vote/lunch', 'b');
  await eventually('the embedded timeline', async () => {
    const { body } = await plain.call('GET', '/api/polls/lunch/timeline');
    return body.points.at(-1)?.ballots.b === 1 ? true : undefined;
  });
  const [opened] = await influx.query("SELECT title, text FROM events WHERE event = 'closed'");
  t.match(opened, { title: 'Poll lunch', text: 'round 1 closed' });
}

async function last(influx: InfluxServer) {
  const sum = (rows: Record<string, unknown>[]) => rows.reduce((all, { value }) => all + Number(value), 0);
  const votes = await influx.query("SELECT last(received) AS value FROM votes WHERE poll = 'lunch' GROUP BY partition");
  const rejected = await influx.query(
    "SELECT last(count) AS value FROM rejections WHERE poll = 'lunch' GROUP BY partition, reason",
  );
  const found: Record<string, number> = { votes: sum(votes), rejected: sum(rejected) };
  for (const option of ['a', 'b', 'c']) {
    const where = `WHERE poll = 'lunch' AND "option" = '${option}'`;
    found[option] = sum(await influx.query(`SELECT last(count) AS value FROM ballots ${where} GROUP BY partition`));
  }
  return found;
}

async function live(s: Stage) {
  const { body } = await s.call('GET', '/api/polls/lunch/result', { operator: true });
  const options = body.options.map(({ key, count }: { key: string; count: number }) => [key, count]);
  return { votes: body.votes, rejected: body.rejected, ...Object.fromEntries(options) };
}

async function backlog(s: Stage): Promise<number> {
  const { body } = await s.call('GET', '/metrics');
  return Number(/^pollcast_series_backlog_points (\d+)$/m.exec(body)?.[1]);
}

t.test('the backlog is bounded, and invalid points do not block valid points', async (t) => {
  const metrics = processorMetrics(new Registry());
  const kept: Point[] = [];
  let isDown = true;
  const series: Series = {
    close: async () => {},
    samples: async () => [],
    write: async (points) => {
      if (isDown) throw new Error('down');
      if (points.some(({ atMs }) => atMs === 7)) throw new PointsRefused('no');
      kept.push(...points);
    },
  };
  const backlog = Backlog.open(series, log, metrics);
  const many = Array.from({ length: 300_010 }, (_, i) => ({ ...votes(0, 0, i), atMs: i }));
  backlog.add(many);
  t.equal((await metrics.seriesBacklog.get()).values[0]?.value, 300_000);
  backlog.add([{ ...votes(0, 0, 1), atMs: 7 }]);
  backlog.add([{ ...votes(0, 0, 5), atMs: 100 }]);
  await sleep(700);
  isDown = false;
  await eventually('all points to be written', async () =>
    (await metrics.seriesBacklog.get()).values[0]?.value === 0 ? true : undefined,
  );
  t.equal(kept.length, 299_999);
  t.equal(kept.filter(({ atMs }) => atMs === 100).length, 1);
  t.equal(
    kept.find(({ atMs }) => atMs === 100)?.fields.received,
    5,
    'if a point is written several times, the newest value is kept',
  );
  const dropped = (await metrics.seriesDropped.get()).values;
  t.match(dropped, [
    { labels: { why: 'backlog-full' }, value: 11 },
    { labels: { why: 'refused' }, value: 1 },
  ]);
  await backlog.close();
});

t.test('device health is reported by group and firmware, even if devices send invalid statuses', async (t) => {
  const atMs = 1_000_000;
  const groups = new Map([
    ['d1', 'hall'],
    ['d2', 'hall'],
  ]);
  const status = (status: unknown, ageMs = 0) => ({ status, atMs: atMs - ageMs });
  const statuses = new Map([
    ['d1', status({ battery: 10, signal: -70, firmware: '1.2.0' })],
    ['d2', status({ battery: 80, signal: -50, firmware: '1.2.0' }, 400_000)],
    ['stranger', status({ battery: 'full', signal: 1e9, firmware: 'a b,c=d\n' })],
  ]);
  t.same(healthPoints(groups, statuses, atMs), [
    {
      measurement: 'fleet',
      tags: { group: 'hall', firmware: '1.2.0' },
      fields: { devices: 2, reporting: 1, low: 1, battery_mean: 45, battery_min: 10, signal_mean: -60 },
      atMs,
    },
    {
      measurement: 'fleet',
      tags: { group: 'unknown', firmware: 'unknown' },
      fields: { devices: 1, reporting: 1, low: 0 },
      atMs,
    },
  ]);
  const inventive = new Map(Array.from({ length: 1_000 }, (_, i) => [`x${i}`, status({ firmware: `v${i}` })]));
  const points = healthPoints(new Map(), inventive, atMs);
  t.equal(points.length, 201, 'the number of series is limited');
  t.equal(points.at(-1)?.fields.devices, 800);
});

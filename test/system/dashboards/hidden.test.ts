import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { influxServer } from '../../support/servers.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { vote, watch } from './viewer.ts';

const HIDDEN = [
  { visibility: 'operator' },
  { visibility: 'operator', secrecy: 'secret' },
  { visibility: 'operator', secrecy: 'pseudonymous', kind: 'rating', options: undefined },
  { visibility: 'operator', kind: 'pulse' },
] as const;
const MINUTE_MS = 60_000;

const result = (s: Stage, poll: string, operator = false) => s.call('GET', `/api/polls/${poll}/result`, { operator });

for (const settings of HIDDEN) {
  const name = Object.values(settings).join(' ');
  t.test(`${name}: votes move nothing that others than operators see`, async (t) => {
    const s = await stage(t);
    await s.openPoll('hidden', { ...settings, room: 'hall' });
    await s.openPoll('shown');
    const choice = 'kind' in settings && settings.kind === 'rating' ? '3' : 'b';
    const watcher = await s.device('watcher');
    for (const topic of ['result/hidden', 'result/shown', 'poll/hidden', 'room/hall']) await watcher.subscribe(topic);
    await vote(s, 'first', 'hidden', choice);
    await vote(s, 'first', 'shown', 'a');
    await eventually('the shown result', async () =>
      watcher.messages.find(([topic, text]) => topic === 'result/shown' && text.includes('"ballots":1')),
    );
    watcher.messages.length = 0;
    const both = await watch(t, `${s.http}/api/stream?polls=hidden,shown`);
    const room = await watch(t, `${s.http}/api/rooms/hall/stream`);
    const one = await watch(t, `${s.http}/api/polls/hidden/stream?changes=compact`);
    const first = ({ events }: typeof both) =>
      eventually('the first event', async () =>
        events.find(({ event, data }) => event === 'result' && data.poll === 'hidden'),
      );
    await Promise.all([first(both), first(room), first(one)]);
    const lengths = [room.events.length, one.events.length];
    const before = await result(s, 'hidden');
    t.match(before.body, { hidden: true, ballots: null, votes: null, accounting: null, turnout: null, at: null });

    for (let i = 0; i < 5; i++) await vote(s, `d${i}`, 'hidden', choice);
    await s.resultAfter('hidden', 6);
    for (let i = 0; i < 5; i++) await vote(s, `d${i}`, 'shown', 'a');
    await eventually('the shown stream', async () =>
      both.events.find(({ data }) => data.poll === 'shown' && data.ballots === 6),
    );
    await eventually('the shown message', async () =>
      watcher.messages.find(([topic, text]) => topic === 'result/shown' && text.includes('"ballots":6')),
    );
    t.equal(both.events.filter(({ data }) => data.poll === 'hidden').length, 1, 'one snapshot, and no frame per vote');
    t.same([room.events.length, one.events.length], lengths);
    t.same(
      watcher.messages.filter(([topic]) => topic !== 'result/shown'),
      [],
      'no message, not even an empty one',
    );
    const after = await result(s, 'hidden');
    t.same(after.body, before.body);
    t.equal(after.headers.get('etag'), before.headers.get('etag'));
    t.equal((await s.call('GET', '/api/polls/hidden/timeline')).status, 403);
    t.notMatch((await s.call('GET', '/metrics')).body, /hidden|shown/, 'metrics name no poll');
    t.match((await result(s, 'hidden', true)).body, { ballots: 6, votes: 6, at: /Z$/ }, 'operators see the figures');
  });
}

t.test('InfluxDB gets nothing of a poll before everybody may see it, and no partitions', async (t) => {
  const directory = t.testdir({ influx: {}, data: {} });
  const influx = await influxServer(join(directory, 'influx'));
  t.teardown(() => influx.program.end());
  const s = await stage(t, { influxUrl: influx.url }, join(directory, 'data'));
  const polls: Record<string, object> = {
    live: { visibility: 'live' },
    voted: { visibility: 'voted' },
    closed: { visibility: 'closed' },
    turnout: { visibility: 'turnout' },
    curtain: { visibility: 'live' },
    operator: { visibility: 'operator' },
    secret: { visibility: 'closed', secrecy: 'secret' },
    quiet: { visibility: 'operator', secrecy: 'secret' },
  };
  for (const [poll, settings] of Object.entries(polls)) await s.openPoll(poll, settings);
  await s.call('POST', '/api/polls/curtain/hide', { operator: true });
  const all = Object.keys(polls).reverse();
  for (const choice of ['a', 'b', 'c']) for (const poll of all) await vote(s, `d-${choice}`, poll, choice);
  const last = async (measurement: string, field: string, poll: string) => {
    const rows = await influx.query(
      `SELECT last(${field}) AS value FROM ${measurement} WHERE poll = '${poll}' GROUP BY *`,
    );
    return rows.map(({ value }) => Number(value)).reduce((sum, value) => sum + value, 0);
  };
  const sees = async (poll: string) =>
    `${await last('votes', 'received', poll)} ${await last('ballots', 'count', poll)}`;
  const seen = async () => Object.fromEntries(await Promise.all(all.map(async (poll) => [poll, await sees(poll)])));
  const shows = (what: string, expected: Record<string, string>) =>
    eventually(what, async () => {
      const now = await seen();
      return Object.entries(expected).every(([poll, figures]) => now[poll] === figures) ? now : undefined;
    });
  const turnouts = { voted: '3 0', closed: '3 0', turnout: '3 0', curtain: '3 0', secret: '3 0' };
  const nothing = { operator: '0 0', quiet: '0 0' };
  t.same(await shows('the live poll', { live: '3 3', ...turnouts }), { live: '3 3', ...turnouts, ...nothing });
  const timeline = await s.call('GET', '/api/polls/operator/timeline', { operator: true });
  t.equal(timeline.status, 403);
  t.match(JSON.stringify(timeline.body), /figures-hidden.*InfluxDB/);

  await s.call('POST', '/api/polls/curtain/show', { operator: true });
  for (const poll of all) if (poll !== 'curtain') await s.call('POST', `/api/polls/${poll}/close`, { operator: true });
  const revealed = { live: '3 3', voted: '3 3', closed: '3 3', curtain: '3 3', secret: '3 3' };
  t.same(await shows('what was revealed', revealed), { ...revealed, turnout: '3 0', ...nothing });
  const { body: recount } = await s.call('POST', '/api/polls/operator/recount', { operator: true });
  t.match(recount, { agrees: true, differences: [], compared: ['live tally', 'dashboard'] });
  const since = Date.now() - MINUTE_MS;
  const points = async (poll: string) =>
    (await influx.query(`SELECT count FROM ballots WHERE poll = '${poll}' AND time > ${since}ms`)).length;
  t.ok((await points('closed')) >= 3, 'graphs of a revealed poll begin with its opening');

  for (const poll of ['operator', 'quiet']) {
    await s.call('PATCH', `/api/polls/${poll}`, { operator: true, body: { visibility: 'closed' } });
  }
  await shows('what was published', { operator: '3 3', quiet: '3 3' });
  const tags = await influx.query('SHOW TAG KEYS');
  t.notOk(
    tags.some(({ tagKey }) => tagKey === 'partition'),
    'a partition follows from the device',
  );
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { InfluxSeries } from '../../core/store/series/influx.ts';
import type { Point } from '../../core/store/series/series.ts';
import { processorMetrics } from '../../processors/metrics.ts';
import { Backlog } from '../../processors/series/backlog.ts';
import { eventually } from '../support/eventually.ts';
import { influxServer } from '../support/servers.ts';

const PASSWORD = 'pass/word?@:ünlike';
const second = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;

function votes(atS: number, received = 1): Point {
  const fields = { received, counted: received, replaced: 0, redelivered: 0, rejected: 0 };
  return { measurement: 'votes', tags: { poll: 'q', round: '1', partition: '0' }, fields, atMs: second + atS * 1_000 };
}

/** A log whose lines can be read. */
function readableLog() {
  const lines: string[] = [];
  return { lines, log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }) };
}

/** A server that answers like an InfluxDB of our choice; resolves with its URL and the paths of the writes. */
async function oddServer(
  t: Test,
  answer: (path: string, lines: string[]) => [status: number, body: object | undefined],
) {
  const writes: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = request.url ?? '';
    if (path.startsWith('/write')) writes.push(path);
    const [status, json] = answer(path, body.split('\n'));
    response.writeHead(status, { 'content-type': 'application/json' }).end(json ? JSON.stringify(json) : undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { writes, url: `http://writer:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/pollcast` };
}

t.test('InfluxDB 2.x refuses administration with status 200: points are written all the same', async (t) => {
  const { writes, url } = await oddServer(t, (path) =>
    path.startsWith('/write') ? [204, undefined] : [200, { results: [{ statement_id: 0, error: 'not implemented' }] }],
  );
  const { lines, log } = readableLog();
  const series = await InfluxSeries.open(url, log);
  await series.write([votes(0)]);
  await series.write([votes(1)]);
  t.equal(writes.length, 2);
  t.equal(lines.length, 1, 'what is missing is said once');
  t.match(lines[0], /database pollcast \(.*not implemented\)/);
  t.notMatch(lines.join(), /pass|word/);
});

t.test('a wrong password is reported with message and status, and never shown', async (t) => {
  const { url } = await oddServer(t, (path) => [401, { error: `unable to parse ${path}: ${PASSWORD}` }]);
  const { lines, log } = readableLog();
  const series = await InfluxSeries.open(url, log);
  const error = await series.write([votes(0)]).then(
    () => undefined,
    (reason) => reason,
  );
  log.warn({ err: error }, 'as the backlog logs it');
  t.match(error, { name: 'InfluxError', status: 401 });
  await series
    .samples('q', 1, { fromMs: second, toMs: second + 1, stepMs: 1_000 })
    .catch((reason) => log.error(reason));
  t.equal(lines.length, 3);
  t.notMatch(lines.join(), /pass|word|ünlike|pass%2Fword/);
  t.ok(lines.every((line) => line.length < 4_000));
});

t.test('a real InfluxDB', async (t) => {
  const influx = await influxServer(t.testdir(), { user: 'root', password: 'root password' });
  t.teardown(() => influx.program.end());

  await t.test('a continuous query of the same name with another text is replaced', async (t) => {
    const { lines, log } = readableLog();
    await influx.query('CREATE DATABASE pollcast');
    await influx.query('CREATE DATABASE other');
    for (const policy of ['raw', 'minutes']) {
      await influx.query(`CREATE RETENTION POLICY ${policy} ON pollcast DURATION 30d REPLICATION 1`);
    }
    const other = 'BEGIN SELECT last(received) AS received INTO minutes.votes FROM raw.votes GROUP BY time(1m), * END';
    await influx.query(`CREATE CONTINUOUS QUERY minutes_votes ON pollcast ${other}`);
    await influx.query(`CREATE CONTINUOUS QUERY minutes_votes_of_mine ON pollcast ${other}`);
    await influx.query(`CREATE CONTINUOUS QUERY minutes_votes ON other ${other}`);
    for (let time = 0; time < 2; time++) {
      const series = await InfluxSeries.open(influx.url, log);
      await series.write([votes(time)]);
    }
    t.same(lines, []);
    const names = (await influx.query('SHOW CONTINUOUS QUERIES')).map(({ name }) => name);
    const ours = names.filter((name) => /^minutes_votes/.test(String(name))).sort();
    t.match(ours, ['minutes_votes', /^minutes_votes_[0-9a-f]{8}$/, 'minutes_votes_of_mine']);
    t.equal(ours.length, 3, 'that of another database and what others created stay');
    t.equal((await influx.query('SELECT * FROM raw.votes')).length, 2);
  });

  await t.test('a user without admin rights: points are written to the default policy', async (t) => {
    const { lines, log } = readableLog();
    await influx.query('DROP DATABASE pollcast');
    await influx.query('CREATE DATABASE pollcast');
    await influx.query(`CREATE USER writer WITH PASSWORD '${PASSWORD}'`);
    await influx.query('GRANT ALL ON pollcast TO writer');
    const url = `http://writer:${encodeURIComponent(PASSWORD)}@127.0.0.1:${influx.port}/pollcast`;
    const series = await InfluxSeries.open(url, log);
    await series.write([votes(0)]);
    await series.write([votes(1, 7)]);
    t.equal(lines.length, 1, 'what is missing is said once');
    t.match(lines[0], /retention policy raw \(status 403/);
    t.notMatch(lines.join(), /pass|word\W|ünlike/);
    const window = { fromMs: second, toMs: second + 10_000, stepMs: 1_000 };
    t.match(await series.samples('q', 1, window), [{ value: 1 }, { value: 7 }], 'and read from there');
  });
});

for (const [name, status, error, written] of [
  ['in part', 400, 'partial write: field type conflict: input field "count" is float dropped=210', 2_790],
  ['as a whole', 413, 'Request Entity Too Large', 0],
] as const) {
  t.test(`a batch is refused ${name}: few writes, one line, and a counter`, async (t) => {
    const { writes, url } = await oddServer(t, (path) =>
      path.startsWith('/write') ? [status, { error }] : [200, { results: [{}] }],
    );
    const { lines, log } = readableLog();
    const metrics = processorMetrics(new Registry());
    const backlog = Backlog.open(await InfluxSeries.open(url, log), log, metrics);
    backlog.add(Array.from({ length: 3_000 }, (_, i) => votes(i)));
    const left = async () => (await metrics.seriesBacklog.get()).values[0]?.value;
    await eventually('the batch to be dropped', async () => ((await left()) === 0 ? true : undefined));
    backlog.add(Array.from({ length: 3_000 }, (_, i) => votes(i + 3_000)));
    await eventually('the next one to be dropped', async () => ((await left()) === 0 ? true : undefined));
    await backlog.close();
    t.ok(writes.length <= 40, `${writes.length} writes`);
    const refused = lines.filter((line) => line.includes('refused points'));
    t.equal(refused.length, 1, lines.join(''));
    t.ok((refused[0]?.length ?? 0) < 1_000);
    t.match(
      (await metrics.seriesDropped.get()).values.find(({ labels }) => labels.why === 'refused')?.value,
      6_000 - 2 * written,
    );
    t.equal((await metrics.seriesWritten.get()).values[0]?.value, 2 * written);
  });
}

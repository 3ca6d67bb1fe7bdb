import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { panelQueries } from '../support/panels.ts';
import { onOwnPorts } from '../support/ports.ts';
import { pathInCheckout } from '../support/root.ts';
import { influxServer, Program } from '../support/servers.ts';
import { stage } from '../support/stage.ts';

const DOCKER = pathInCheckout('docker/');

t.setTimeout(180_000);
/** The time in ms that it may take until every panel has data. */
const PATIENCE_MS = 45_000;

t.test('every query of every panel returns data after a poll', async (t) => {
  const directory = t.testdir({ data: {}, influx: {}, prometheus: {} });
  const influx = await influxServer(join(directory, 'influx'));
  t.teardown(() => influx.program.end());
  const s = await stage(t, { influxUrl: influx.url }, join(directory, 'data'));
  const prometheus = await prometheusServer(join(directory, 'prometheus'), new URL(s.http).host);
  t.teardown(() => prometheus.program.end());

  for (const device of ['d1', 'd2']) {
    await s.call('POST', '/api/devices', { operator: true, body: { device, group: 'hall' } });
  }
  await s.openPoll('lunch');
  const viewer = await fetch(`${s.http}/api/polls/lunch/stream`);
  t.teardown(() => viewer.body?.cancel());
  const devices = await Promise.all(Array.from({ length: 10 }, (_, i) => s.device(`d${i}`)));
  for (const [i, device] of devices.entries()) {
    const status = JSON.stringify({ battery: 10 * i, signal: -60 - i, firmware: '1.0.2' });
    await device.vote(`device/d${i}/status`, status);
  }
  for (const choice of ['a', 'b', 'c', 'nonsense', 'a']) {
    await Promise.all(devices.map((device) => device.vote('vote/lunch', choice)));
    await sleep(700);
  }
  await s.call('POST', '/api/polls/lunch/close', { operator: true });

  const ask = { influxdb: influx.query, prometheus: prometheus.query };
  const endMs = Date.now() + PATIENCE_MS;
  const queries = panelQueries({ poll: 'lunch', round: '1' });
  t.ok(queries.length > 50, `${queries.length} queries`);
  for (const { dashboard, panel, kind, query } of queries) {
    let answer: unknown[] = [];
    let failure = '';
    do {
      try {
        answer = await ask[kind](query);
        failure = '';
      } catch (error) {
        failure = (error as Error).message;
      }
      if (answer.length === 0 && failure === '') await sleep(500);
    } while (answer.length === 0 && failure === '' && Date.now() < endMs);
    t.ok(answer.length > 0, `${dashboard}, ${panel}: ${failure || query}`);
  }
});

t.test('the alert rules fire when they should, and Prometheus accepts its configuration', async (t) => {
  for (const args of [
    ['test', 'rules', 'alerts.test.yml'],
    ['check', 'config', '--syntax-only', 'prometheus.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: DOCKER, encoding: 'utf8' });
    t.equal(status, 0, `promtool ${args.join(' ')}: ${stdout}${stderr}`);
  }
});

/** Starts a Prometheus that scrapes one process three times, under the job name of each role. */
async function prometheusServer(directory: string, target: string) {
  mkdirSync(directory, { recursive: true });
  const jobs = ['broker', 'processor', 'dashboard'].map((job) => ({
    job_name: job,
    static_configs: [{ targets: [target] }],
  }));
  // JSON is valid YAML.
  const file = join(directory, 'prometheus.yml');
  const rules = join(directory, 'rules.yml');
  // An alert that always fires gives the alert panel something to show.
  const firing = { groups: [{ name: 'test', rules: [{ alert: 'Always', expr: 'vector(1)' }] }] };
  writeFileSync(rules, JSON.stringify(firing));
  const global = { scrape_interval: '1s', evaluation_interval: '1s' };
  const all = { global, scrape_configs: jobs, rule_files: [rules, join(DOCKER, 'alerts.yml')] };
  writeFileSync(file, JSON.stringify(all));
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${join(directory, 'data')}`];
  const { program, url } = await onOwnPorts(1, async (port) => {
    const url = `http://127.0.0.1:${port}`;
    const isUp = async () => (await fetch(`${url}/-/ready`)).status === 200;
    const program = new Program('prometheus', [...flags, `--web.listen-address=127.0.0.1:${port}`], isUp);
    await program.start();
    return { program, url };
  });
  const query = async (text: string): Promise<unknown[]> => {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(text)}`);
    const { status, error, data } = (await response.json()) as {
      status: string;
      error?: string;
      data?: { result: unknown[] };
    };
    if (status !== 'success') throw new Error(error);
    return data?.result ?? [];
  };
  return { program, query };
}

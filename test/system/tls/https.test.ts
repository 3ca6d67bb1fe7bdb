/** Pages, API and streams over HTTPS. */
import { execFile } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { get, type RequestOptions } from 'node:https';
import { promisify } from 'node:util';
import { createGunzip, constants as zlib } from 'node:zlib';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { hall } from '../../support/hall.ts';
import { pollcast } from '../../support/process.ts';
import { stage } from '../../support/stage.ts';

const run = promisify(execFile);

/** Opens a stream, and gathers its text. */
async function follow(t: Test, url: string, options: RequestOptions) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { ...options, agent: false }, resolve).on('error', reject);
  });
  const isGzip = answer.headers['content-encoding'] === 'gzip';
  const body = isGzip ? answer.pipe(createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH })) : answer;
  let text = '';
  let isEnded = false;
  body.on('data', (chunk) => (text += chunk)).on('error', () => {});
  answer.on('close', () => (isEnded = true)).on('error', () => {});
  t.teardown(() => answer.destroy());
  return { answer, isGzip, text: () => text, isEnded: () => isEnded };
}

t.test('the API, pages and metrics', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  await s.openPoll('q', { room: 'hall' });
  for (const path of ['/health', '/ready', '/metrics', '/', '/api/polls/q/result', '/vote/hall']) {
    t.equal((await s.call('GET', path)).status, 200, path);
  }
  const metrics = (await s.call('GET', '/metrics')).body;
  t.match(metrics, /pollcast_tls_ends_timestamp_seconds\{of="server"\} \d+/);
  t.match(metrics, /pollcast_tls_reload_failed 0/);
  await t.rejects(fetch(s.http.replace('https', 'http')), 'there is no plain HTTP');
});

t.test('fetch and the command trust the authority of the hall by NODE_EXTRA_CA_CERTS', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  await s.openPoll('q');
  const env = { NODE_EXTRA_CA_CERTS: h.at('ca.crt') };
  const script = `fetch('${s.http}/api/polls/q').then((r) => r.json()).then(({ poll }) => console.log(poll))`;
  const { stdout } = await run(process.execPath, ['-e', script], { env: { ...process.env, ...env } });
  t.equal(stdout.trim(), 'q');
  const token = s.operator.authorization?.replace('Bearer ', '') ?? '';
  const { code, stdout: list, stderr } = await pollcast(['poll', 'list', '--http', s.http, '--token', token], env);
  t.equal(code, 0, stderr);
  t.match(list, /\bq\b/);
});

t.test('result streams, plain and compressed, with many viewers', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server });
  await s.openPoll('q');
  const url = `${s.http}/api/polls/q/stream`;
  const forms = [{}, { 'accept-encoding': 'gzip' }];
  const viewers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => follow(t, url, { ca: h.ca, headers: forms[i % 2] ?? {} })),
  );
  t.same([viewers[0]?.isGzip, viewers[1]?.isGzip], [false, true]);
  const device = await s.device('d');
  await device.vote('vote/q', 'b');
  for (const viewer of viewers) {
    await eventually('the vote', async () => (/"votes":1\b|"ballots":1\b/.test(viewer.text()) ? true : undefined));
  }
  const { statusCode } = await new Promise<IncomingMessage>((resolve) => {
    get(url, { ca: h.ca, method: 'HEAD', agent: false }, resolve);
  });
  t.equal(statusCode, 200);
  viewers[0]?.answer.destroy();
  await eventually('the viewer that left', async () => {
    const { body } = await s.call('GET', '/metrics');
    return /pollcast_stream_viewers 19\b|pollcast_viewers 19\b/.test(body) ? true : undefined;
  });
  await s.stop();
  for (const viewer of viewers) t.ok(viewer.isEnded());
});

t.test('a rehearsal connects over TLS, if that is the only way', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.server, mqttPort: 'off', door: 'devices' });
  await s.openPoll('q');
  t.equal(s.pollcast.mqttPort, 0);
  const body = { devices: 5, seconds: 1 };
  t.equal((await s.call('POST', '/api/polls/q/rehearsal', { operator: true, body })).status, 202);
  const rehearsal = await eventually('the end of the rehearsal', async () => {
    const answer = (await s.call('GET', '/api/rehearsal', { operator: true })).body.rehearsal;
    return /passed|failed/.test(answer.phase) ? answer : undefined;
  });
  t.match(rehearsal, { phase: 'passed' });
});

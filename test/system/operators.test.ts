/** Operators and the audit trail where several dashboards share one Redis. */
import t, { type Test } from 'tap';
import { type Pollcast, start } from '../../app/pollcast.ts';
import { readConfig } from '../../core/config/config.ts';
import { createLog } from '../../core/runtime/log.ts';
import { eventually } from '../support/eventually.ts';
import { redisServer } from '../support/servers.ts';
import { watch } from './dashboards/viewer.ts';

const ROOT_TOKEN = 'operator-token-of-tests';
const TIMES = 20;

async function dashboard(t: Test, url: string): Promise<string> {
  const flags = {
    redisUrl: url,
    httpPort: '0',
    operatorToken: ROOT_TOKEN,
    logLevel: 'silent',
    door: 'devices',
  };
  const running: Pollcast = await start('dashboard', readConfig(flags, {}), createLog('silent', 'dashboard'));
  t.teardown(() => running.stop());
  return `http://127.0.0.1:${running.httpPort}`;
}

async function call(http: string, token: string, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
  const response = await fetch(http + path, { method, headers, body: body ? JSON.stringify(body) : null });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as any };
}

/** The answers to a wrong token: the second, if there were many from one address. */
const REFUSED: readonly number[] = [401, 429];

t.test('operators are created and revoked on every dashboard, and all write one audit trail', async (t) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const [a, b] = await Promise.all([dashboard(t, server.url), dashboard(t, server.url)]);
  const create = async (http: string): Promise<string> =>
    (await call(http, ROOT_TOKEN, 'POST', '/api/operators', { operator: 'ann', role: 'operator' })).body.token;
  const draft = {
    poll: 'q',
    title: 'Q?',
    options: [
      { key: 'a', label: 'A' },
      { key: 'b', label: 'B' },
    ],
  };
  await call(a, ROOT_TOKEN, 'POST', '/api/polls', draft);
  await eventually('the poll on the other dashboard', async () =>
    (await fetch(`${b}/api/polls/q`)).status === 200 ? true : undefined,
  );
  for (let time = 0; time < TIMES; time++) {
    const token = await create(a);
    t.equal((await call(b, token, 'GET', '/api/operator')).status, 200, 'a new token works at once');
    const { isEnded } = await watch(t, `${b}/api/polls/q/stream`, { authorization: `Bearer ${token}` });
    await call(a, ROOT_TOKEN, 'DELETE', '/api/operators/ann');
    const next = await create(a);
    const { status: refused } = await call(b, token, 'GET', '/api/operator');
    t.ok(REFUSED.includes(refused), `a revoked token works nowhere, although the name is used again: ${refused}`);
    t.equal((await call(b, next, 'GET', '/api/operator')).status, 200);
    await eventually('the end of the stream', async () => isEnded() || undefined);
    await call(b, ROOT_TOKEN, 'DELETE', '/api/operators/ann');
  }

  const names = Array.from({ length: 30 }, (_, i) => `bob-${i}`);
  const made = await Promise.all(
    names.map((operator, i) => call(i % 2 ? a : b, ROOT_TOKEN, 'POST', '/api/operators', { operator, role: 'viewer' })),
  );
  t.same([...new Set(made.map(({ status }) => status))], [201]);
  const { body } = await call(a, ROOT_TOKEN, 'GET', '/api/audit-trail/check');
  t.match(body, { intact: true, problems: [] });
  const { records } = (await call(a, ROOT_TOKEN, 'GET', '/api/audit-trail?limit=500')).body;
  // The refused tokens are recorded, too, but not all of them.
  t.equal(records.filter(({ who }: { who: string }) => who === 'root').length, 1 + 4 * TIMES + 30);
  t.same((await call(b, ROOT_TOKEN, 'GET', '/api/audit-trail/check')).body, body);
});

t.test('while Redis does not answer, the token of the deployment is still known, and no other one is', async (t) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const http = await dashboard(t, server.url);
  const { body } = await call(http, ROOT_TOKEN, 'POST', '/api/operators', { operator: 'ann', role: 'viewer' });
  await server.program.end();
  t.equal((await call(http, ROOT_TOKEN, 'GET', '/api/operator')).status, 200);
  t.equal((await call(http, body.token, 'GET', '/api/operator')).status, 503);
});

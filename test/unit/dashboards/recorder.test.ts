import fastify from 'fastify';
import { Registry } from 'prom-client';
import t from 'tap';
import type { AuditFact } from '../../../core/audit/trail/fact.ts';
import { AuditTrail } from '../../../core/audit/trail/trail.ts';
import { ROOT_CALLER } from '../../../core/operators/operator.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { Recorder } from '../../../dashboards/api/permissions/recorder.ts';
import { answerProblems } from '../../../dashboards/api/problem.ts';
import { Requests } from '../../../dashboards/api/requests.ts';
import { eventually } from '../../support/eventually.ts';

t.test('an action whose record would find no place is refused before it takes effect', async (t) => {
  // A store that does not answer for a while.
  let answer = () => {};
  const pending = new Promise<undefined>((resolve) => (answer = () => resolve(undefined)));
  const registry = { ...Object.create(null), get: () => pending, list: async () => [], put: async () => 1 };
  const trail = new AuditTrail(registry);
  const operators = { ...Object.create(null), signedIn: () => ROOT_CALLER, isWithScreenKey: () => false };
  const recorder = new Recorder({ trail, operators, metrics: new Registry(), log: createLog('silent') });
  const app = fastify();
  recorder.follow(app);
  let acted = 0;
  app.post('/api/polls/:poll/open', async () => ({ acted: ++acted }));
  const all = Array.from({ length: 980 }, () => app.inject({ method: 'POST', url: '/api/polls/q/open' }));
  await eventually('the actions', async () => (acted === 900 ? true : undefined));
  answer();
  const codes = (await Promise.all(all)).map(({ statusCode }) => statusCode);
  t.same([codes.filter((code) => code === 200).length, acted], [900, 900]);
  t.equal((await app.inject({ method: 'POST', url: '/api/polls/q/open' })).statusCode, 200, 'there is room again');
});

t.test('an action that the end of the process cuts off is recorded as cut off, once', async (t) => {
  const facts: AuditFact[] = [];
  const trail = { demandPlace: () => {}, append: async (fact: AuditFact) => ({ number: facts.push(fact) }) };
  const metrics = new Registry();
  const log = createLog('silent');
  const operators = {
    ...Object.create(null),
    ...{ signedIn: () => ROOT_CALLER, isWithScreenKey: () => false, isWrong: () => false },
  };
  const recorder = new Recorder({ ...Object.create(null), trail, operators, metrics, log });
  const app = fastify();
  answerProblems(app, { ...Object.create(null), metrics, log, operators });
  const requests = new Requests();
  requests.follow(app);
  recorder.follow(app);
  let finish = () => {};
  app.post('/api/polls/:poll/open', async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return {};
  });
  const opening = app.inject({ method: 'POST', url: '/api/polls/q/open' });
  await eventually('the action', async () => (requests.size === 1 ? true : undefined));
  await requests.drain();
  finish();
  t.match(await opening, { statusCode: 503 });
  t.same(
    facts.map(({ action, outcome, code }) => [action, outcome, code]),
    [['poll.open', 'unknown', 'stopping']],
  );
  const other = fastify();
  answerProblems(other, { ...Object.create(null), metrics: new Registry(), log, operators });
  new Recorder({ ...Object.create(null), trail, operators, metrics: new Registry(), log }).follow(other);
  other.post('/api/polls/:poll/close', async () => {
    throw new Error('broken');
  });
  await other.inject({ method: 'POST', url: '/api/polls/q/close' });
  t.match(facts.at(-1), { action: 'poll.close', outcome: 'unknown', code: 'server-error' });
});

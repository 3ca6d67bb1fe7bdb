import fastify from 'fastify';
import { Registry } from 'prom-client';
import t from 'tap';
import { AuditTrail } from '../../../core/audit/trail/trail.ts';
import { ROOT_CALLER } from '../../../core/operators/operator.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { Recorder } from '../../../dashboards/api/permissions/recorder.ts';
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

import fastify from 'fastify';
import { Registry } from 'prom-client';
import t from 'tap';
import type { AuditFact } from '../../../core/audit/trail/fact.ts';
import { AuditTrail } from '../../../core/audit/trail/trail.ts';
import { ROOT_CALLER } from '../../../core/operators/operator.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { StoreAway, StoreRefusal } from '../../../core/store/error.ts';
import { Allowance } from '../../../dashboards/api/permissions/allowance.ts';
import { Recorder } from '../../../dashboards/api/permissions/recorder.ts';
import { NotedRegistry } from '../../../dashboards/api/permissions/writes.ts';
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

/** An app with a recorder, whose facts are collected. `who` sends every request. */
function recorded(who: object) {
  const facts: AuditFact[] = [];
  const trail = { demandPlace: () => {}, append: async (fact: AuditFact) => ({ number: facts.push(fact) }) };
  const [metrics, log] = [new Registry(), createLog('silent')];
  const operators = {
    ...Object.create(null),
    ...{ signedIn: () => undefined, isWithScreenKey: () => false, isWrong: () => false, ...who },
  };
  const recorder = new Recorder({ ...Object.create(null), trail, operators, metrics, log });
  const app = fastify();
  const store = { condition: () => ({ ok: true }) };
  answerProblems(app, { ...Object.create(null), metrics, log, operators, store });
  recorder.follow(app);
  return { facts, recorder, app };
}

t.test(
  'what was refused before anything was written has failed, and what was cut off says what it was about',
  async (t) => {
    const { facts, recorder, app } = recorded({ signedIn: () => ROOT_CALLER });
    const registry = new NotedRegistry({ ...Object.create(null), put: async () => 1, remove: async () => false });
    const end = new Map<string, () => Promise<unknown>>();
    app.post<{ Params: { device: string } }>('/api/devices/:device/secret', async (request) => {
      recorder.note(request, { before: { grace: 1 }, devices: ['d1', 'd2'] });
      return end.get(request.params.device)?.();
    });
    const refuse = (error: Error) => async () => {
      throw error;
    };
    const cases = {
      a: [refuse(new Refusal('provider-away', 'away')), 'failed', 'provider-away'],
      b: [refuse(new Refusal('newer-entry', 'newer')), 'failed', 'newer-entry'],
      c: [refuse(new StoreRefusal('full')), 'failed', 'store-refuses'],
      d: [refuse(new StoreAway('away')), 'unknown', 'store-away'],
      e: [refuse(new Refusal('stopping', 'stopping')), 'unknown', 'stopping'],
      f: [refuse(new Error('broken')), 'unknown', 'server-error'],
      g: [
        async () => {
          await registry.put('devices', 'd', {});
          throw new StoreRefusal('full');
        },
        ...(['unknown', 'store-refuses'] as const),
      ],
      h: [
        async () => {
          await registry.remove('devices', 'd', 3);
          throw new Refusal('still-closing', 'closing');
        },
        ...(['failed', 'still-closing'] as const),
      ],
    } as const;
    for (const [device, [work, outcome, code]] of Object.entries(cases)) {
      end.set(device, work);
      await app.inject({ method: 'POST', url: `/api/devices/${device}/secret` });
      const before = outcome === 'unknown' ? '{"grace":1}' : undefined;
      t.match(facts.at(-1), { outcome, code }, device);
      t.equal(facts.at(-1)?.before, before, device);
      t.same(facts.at(-1)?.devices, before && ['d1', 'd2'], device);
    }
  },
);

t.test('persons without a role share the allowance of strangers', async (t) => {
  const { facts, recorder, app } = recorded({});
  let persons = 0;
  app.post('/api/sign-in/complete', async (request) => {
    recorder.note(request, { who: { name: `oidc:${persons++} (Dora)` } });
    throw new Refusal('no-role', 'no role');
  });
  for (let i = 0; i < 30; i++) await app.inject({ method: 'POST', url: '/api/sign-in/complete' });
  t.equal(facts.length, 10);
  t.match(facts[9], { who: 'oidc:9 (Dora)', role: null });
});

t.test('a person who changes their display name has one allowance', async (t) => {
  let asked = 0;
  const { facts, app } = recorded({
    signedIn: () => ({ name: `oidc:7 (Ann ${asked++})`, role: 'viewer', credential: 'x' }),
  });
  app.post('/api/polls/:poll/open', async () => {
    throw new Refusal('not-allowed', 'not allowed');
  });
  for (let i = 0; i < 90; i++) await app.inject({ method: 'POST', url: '/api/polls/q/open' });
  t.equal(facts.length, 60);
  // Together, so that next to nothing is restored meanwhile.
  const all = Array.from({ length: 400 }, () => app.inject({ method: 'POST', url: '/api/polls/q/open' }));
  const codes = (await Promise.all(all)).map(({ statusCode }) => statusCode);
  t.ok(codes.includes(429), 'actions are limited by the same key');
});

t.test('only so many names are remembered', async (t) => {
  const allowance = new Allowance(1_000, 2);
  for (const name of ['a', 'a', 'b', 'a']) allowance.take(name, 2, 1);
  t.equal(allowance.take('a', 2, 2), undefined);
  for (const name of ['c', 'd']) allowance.take(name, 2, 3);
  t.equal(allowance.take('a', 2, 4), 0, 'it was forgotten');
});

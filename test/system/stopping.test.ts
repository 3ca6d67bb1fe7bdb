import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { seeded } from '../../devices-sim/random.ts';
import { Server } from '../support/process.ts';

/** `npm run test:long` stops more often. */
const TIMES = Number(process.env.CHAOS_ROUNDS ?? 5);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
/** SIGTERM comes within this time (ms) after the request: before, during and after each step of an opening or closing. */
const WITHIN_MS = 25;

t.setTimeout(240_000 + TIMES * 20_000);

t.test(`SIGTERM during openings and closings: each is answered, ${TIMES} times (CHAOS_SEED=${SEED})`, async (t) => {
  const random = seeded(SEED);
  const server = new Server(t.testdir());
  t.teardown(() => server.kill());
  const call = (path: string, body?: object) =>
    fetch(`${server.http}/api/polls${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : null,
    });
  for (let time = 0; time < TIMES; time++) {
    await server.start();
    const options = ['a', 'b'].map((key) => ({ key, label: key }));
    const [opening, closing] = [`opening${time}`, `closing${time}`];
    for (const poll of [opening, closing]) {
      const created = await call('', { poll, title: poll, options });
      t.equal(created.status, 201);
      await created.text();
    }
    await (await call(`/${closing}/open`)).text();
    const answers = [call(`/${opening}/open`), call(`/${closing}/close`)].map((answer) =>
      answer.then(
        async (response) => ({
          status: response.status,
          retryAfter: response.headers.get('retry-after'),
          text: await response.text(),
        }),
        (error) => ({ status: 0, retryAfter: null, text: String(error.cause ?? error) }),
      ),
    );
    await sleep(random() * WITHIN_MS);
    const code = await server.stop();
    for (const { status, retryAfter, text } of await Promise.all(answers)) {
      const isAnswer = status === 200 || (status === 503 && Number(retryAfter) > 0);
      t.ok(isAnswer, `answered with ${status}: ${text.slice(0, 200)}`);
    }
    t.equal(code, 0, 'the process stops cleanly');
    const wrong = server.output.split('\n').filter((line) => /"level":"(error|fatal)"|closed database/.test(line));
    t.same(wrong, [], 'and reports no error');
  }
  await server.start();
  for (let time = 0; time < TIMES; time++) {
    for (const [poll, wanted] of [
      [`opening${time}`, ['open', 'draft']],
      [`closing${time}`, ['closed', 'open']],
    ] as const) {
      const answer = await fetch(`${server.http}/api/polls/${poll}`, {
        headers: { authorization: `Bearer ${server.token}` },
      });
      const { status } = (await answer.json()) as { status: (typeof wanted)[number] };
      t.ok(wanted.includes(status as never), `${poll} is ${status}: nothing is left half done after a restart`);
    }
  }
});

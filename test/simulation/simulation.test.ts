import t from 'tap';
import { commandFor, planOf } from './plan.ts';
import { run } from './run.ts';
import { realNowMs } from './world/globals.ts';

/** For how long new seeds are run, in ms. `npm run test:long` runs many more. */
const RUN_FOR_MS = 20_000;

t.setTimeout(300_000);

t.test('two runs of one seed do the same', async (t) => {
  for (const seed of [1, 2]) {
    const plan = planOf(seed, { minutes: 2 });
    const [one, two] = [await run(plan), await run(plan)];
    t.equal(one.digest, two.digest);
    t.ok(one.events > 1_000 && one.votes.stored > 0, 'votes were stored');
    const other = await run(planOf(seed + 2, { minutes: 2 }));
    t.not(one.digest, other.digest);
  }
});

t.test('whatever fails, nothing acknowledged is lost, and everything is counted once', async (t) => {
  const first = Math.floor(Math.random() * 1e9);
  const endMs = realNowMs() + RUN_FOR_MS;
  for (let seed = first; seed === first || realNowMs() < endMs; seed++) {
    const { violation, plan, checks } = await run(planOf(seed, { minutes: 10 }));
    t.equal(violation?.message, undefined, commandFor(plan, { minutes: 10 }));
    t.ok((checks.get('log ⇒ counted exactly once') ?? 0) > 0);
    if (violation) break;
  }
});

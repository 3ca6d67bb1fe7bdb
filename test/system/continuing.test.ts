import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { verifyBundle } from '../../core/audit/bundle.ts';
import { type Accounting, totalRejected } from '../../core/voting/count/accounting.ts';
import type { Result } from '../../core/voting/result/result.ts';
import { deploy } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import type { Server } from '../support/process.ts';

t.setTimeout(240_000);
/** How often the round is continued. */
const TIMES = 3;
const DEVICES = 20;

t.test('a round can be closed and continued again and again under load, and every accepted vote counts', async (t) => {
  const { brokers, dashboards } = await deploy(t);
  const { http, token } = dashboards[0] as Server;
  const headers = { authorization: `Bearer ${token}` };
  const step = async (name: string, at = http): Promise<number> =>
    (await fetch(`${at}/api/polls/demo/${name}`, { method: 'POST', headers })).status;
  let accepted = 0;
  /** The first votes of devices whose next vote was counted before the broker had looked at their ballots. */
  let recorded = 0;
  let rejected = 0;
  let drops = 0;
  const clients = await Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      const client = await mqtt.connectAsync((brokers[i % 2] as Server).mqtt, { clientId: `d${i}` });
      await client.subscribeAsync(`receipt/d${i}`);
      client.on('close', () => drops++);
      client.on('message', (_topic, text) => {
        if (text.toString() === 'accepted demo') accepted++;
        else if (text.toString() === 'recorded demo') recorded++;
        else rejected++;
      });
      return client;
    }),
  );
  t.teardown(() => Promise.all(clients.map((client) => client.endAsync(true))));
  let isVoting = true;
  const voting = clients.map(async (client, i) => {
    for (let n = 0; isVoting; n++) {
      await client.publishAsync('vote/demo', JSON.stringify({ c: 'abc'[(i + n) % 3], n }), { qos: 1 });
    }
  });
  for (let time = 1; time <= TIMES; time++) {
    await sleep(150);
    t.equal(await step('close'), 200);
    // At once, and by another dashboard: brokers may not even have noticed that the round was closed.
    t.equal(await step('continue', (dashboards[1] as Server).http), 200);
    t.equal(await step('close'), 200);
    t.equal(await step('continue'), 200);
  }
  await sleep(300);
  t.equal(await step('close'), 200);
  isVoting = false;
  await Promise.all(voting);
  await sleep(500);
  const result = await eventually('the final result', async () => {
    const found = (await (await fetch(`${http}/api/polls/demo/result`)).json()) as Result;
    return found.final && found.recount ? found : undefined;
  });
  const { received, counted, replaced, redelivered, rejected: reasons } = result.accounting as Accounting;
  const refused = totalRejected(reasons);
  t.equal(received, counted + replaced + redelivered + refused);
  t.equal(result.round, 1);
  t.equal(result.interruptions?.length, 2 * TIMES);
  t.ok(accepted > 0 && rejected > 0, `${accepted} accepted, ${rejected} rejected`);
  const kept = counted + replaced + redelivered;
  t.ok(kept >= accepted, `${accepted} votes accepted, ${kept} counted, replaced or redelivered`);
  // A receipt is lost with its connection, and the vote is sent again.
  if (drops === 0) t.ok(kept <= accepted + recorded, `and nothing but ${recorded} recorded votes`);
  t.equal(result.recount?.agrees, true);
  const { body } = await fetch(`${http}/api/polls/demo/audit`, { headers });
  const lines = (await new Response(body).text()).split('\n');
  const report = await verifyBundle(
    (async function* () {
      yield* lines;
    })(),
  );
  t.same(report.problems, []);
});

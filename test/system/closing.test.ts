import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { deploy } from '../support/deployment.ts';
import type { Server } from '../support/process.ts';

t.setTimeout(240_000);
/** The maximum time in ms to wait for something that must happen. */
const PATIENCE_MS = 25_000;
const deployment = await deploy(t);

t.test('a round can be closed while a broker is frozen, and every accepted vote counts', async (t) => {
  const { brokers, dashboards } = deployment;
  const [broker, other] = brokers as [Server, Server];
  const { http, token } = dashboards[0] as Server;
  const seen = { accepted: 0, rejected: 0, acknowledged: 0 };
  const clients = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const client = await mqtt.connectAsync(i % 3 ? broker.mqtt : other.mqtt, {
        clientId: `d${i}`,
        reconnectPeriod: 100,
      });
      await client.subscribeAsync(`receipt/d${i}`);
      client.on('message', (_topic, text) => {
        if (text.toString() === 'accepted demo') seen.accepted++;
        else seen.rejected++;
      });
      return client;
    }),
  );
  t.teardown(() => Promise.all(clients.map((client) => client.endAsync(true))));
  let isVoting = true;
  const voting = clients.map(async (client, i) => {
    for (let n = 0; isVoting; n++) {
      await client.publishAsync('vote/demo', JSON.stringify({ c: 'abc'[(i + n) % 3], n }), { qos: 1 });
      seen.acknowledged++;
    }
  });
  await sleep(500);
  broker.signal('SIGSTOP');
  const startMs = performance.now();
  const closed = await fetch(`${http}/api/polls/demo/close`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  t.equal(closed.status, 200);
  t.ok(
    performance.now() - startMs < 10_000,
    `closing waited ${(performance.now() - startMs).toFixed(0)} ms for the lease`,
  );
  broker.signal('SIGCONT');
  await sleep(1_500);
  isVoting = false;
  const late = sleep(PATIENCE_MS, 'late', { ref: false });
  t.not(await Promise.race([Promise.all(voting), late]), 'late', `all ${seen.acknowledged} votes are acknowledged`);
  await sleep(500);
  const result = await settled(dashboards[0] as Server);
  t.equal(result.final, true);
  const { received, rejected, counted, replaced, redelivered } = result.accounting;
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  t.equal(received, counted + replaced + redelivered + refused);
  t.ok(seen.rejected > 0 && seen.accepted > 0, `${seen.accepted} accepted, ${seen.rejected} rejected`);
  t.ok(
    counted + replaced >= seen.accepted,
    `${seen.accepted} votes accepted, ${counted + replaced} counted or replaced`,
  );
});

interface Standing {
  readonly final: boolean;
  readonly accounting: Record<'received' | 'counted' | 'replaced' | 'redelivered', number> & {
    readonly rejected: Record<string, number>;
  };
}

async function standing(server: Server): Promise<Standing> {
  return (await (await fetch(`${server.http}/api/polls/demo/result`)).json()) as Standing;
}

/** Waits for the final result. */
async function settled(server: Server): Promise<Standing> {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = await standing(server);
    if (result.final) return result;
    if (Date.now() > endMs) throw new Error(`not final: ${JSON.stringify(result)}`);
    await sleep(50);
  }
}

t.test('when a dashboard dies while closing a round, another dashboard finishes closing it', async (t) => {
  const { brokers, dashboards } = deployment;
  const [broker] = brokers as [Server, Server];
  const [first, second] = dashboards as [Server, Server];
  const headers = { authorization: `Bearer ${first.token}` };
  t.equal((await fetch(`${first.http}/api/polls/demo/reopen`, { method: 'POST', headers })).status, 200);
  broker.signal('SIGSTOP');
  const closing = fetch(`${first.http}/api/polls/demo/close`, { method: 'POST', headers });
  closing.catch(() => {});
  await sleep(1_000);
  await first.kill();
  await t.rejects(closing, 'the request gets no response');
  broker.signal('SIGCONT');
  const startMs = performance.now();
  const result = await settled(second);
  t.equal(result.final, true);
  t.ok(
    performance.now() - startMs < 20_000,
    `the result was final after ${(performance.now() - startMs).toFixed(0)} ms`,
  );
});

t.test(
  'processors share the partitions evenly, and take over the partitions of a processor that stopped',
  async (t) => {
    const { processors } = deployment;
    const [one, two] = processors as [Server, Server];
    const leased = async (server: Server) => {
      const metrics = await (await fetch(`${server.http}/metrics`)).text();
      return Number(/^pollcast_partitions_leased (\d+)/m.exec(metrics)?.[1]);
    };
    const until = async (expected: readonly number[], servers: readonly Server[], limitMs: number) => {
      const startMs = performance.now();
      for (;;) {
        const held = await Promise.all(servers.map(leased));
        const tookMs = performance.now() - startMs;
        if (held.join() === expected.join())
          return t.ok(tookMs < limitMs, `partitions held: ${held}, after ${tookMs.toFixed(0)} ms`);
        if (tookMs > limitMs) return t.fail(`partitions held: ${held} instead of ${expected}, after ${limitMs} ms`);
        await sleep(20);
      }
    };
    await until([2, 2], [one, two], 5_000);
    await two.kill();
    await until([4], [one], 5_000);
    await two.start();
    await until([2, 2], [one, two], 2_000);
    const stopped = two.stop();
    await until([4], [one], 2_000);
    t.equal(await stopped, 0);
  },
);

t.test(
  'a vote delayed at one broker does not override a newer vote that the device sent to another broker',
  async (t) => {
    const { brokers, dashboards, link } = deployment;
    const [held, other] = brokers as [Server, Server];
    const { http, token } = dashboards[1] as Server;
    const headers = { authorization: `Bearer ${token}` };
    t.equal((await fetch(`${http}/api/polls/demo/reopen`, { method: 'POST', headers })).status, 200);
    await sleep(1_500);
    const clientId = 'wanderer';
    const first = await mqtt.connectAsync(held.mqtt, { clientId, reconnectPeriod: 0 });
    await first.publishAsync('vote/demo', 'c', { qos: 1 });
    link.hold();
    first.publish('vote/demo', 'a', { qos: 1 });
    await sleep(100);
    first.stream.destroy();
    const second = await mqtt.connectAsync(other.mqtt, { clientId, reconnectPeriod: 0 });
    t.teardown(() => second.endAsync(true));
    await second.publishAsync('vote/demo', 'b', { qos: 1 });
    link.heal();
    await sleep(1_500);
    const text = await (await fetch(`${http}/api/polls/demo/ballots.csv`, { headers })).text();
    t.match(text, /^wanderer,b,/m, 'the newer vote counts');
    const { accounting } = await standing(dashboards[1] as Server);
    // The delayed vote was never acknowledged: the device was admitted elsewhere only once that broker could store nothing more.
    t.match(accounting, { received: 2, counted: 1, replaced: 1, redelivered: 0 });
  },
);

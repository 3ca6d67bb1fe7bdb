import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { Racer } from '../support/network/races.ts';
import { pollcast, Server } from '../support/process.ts';
import { type RedisServer, redisServer, tell } from '../support/servers.ts';

t.setTimeout(300_000);

const ROLES = ['broker', 'processor', 'dashboard'] as const;

function serverOn(t: Test, command: string, url: string, env: Record<string, string> = {}): Server {
  const directory = join(t.testdirName, command);
  mkdirSync(directory, { recursive: true });
  const server = new Server(directory, { command, env: { POLLCAST_REDIS_URL: url, ...env } });
  t.teardown(() => server.kill());
  return server;
}

async function redisOf(t: Test, more: readonly string[] = []): Promise<RedisServer> {
  const redis = await redisServer(join(t.testdir(), 'redis'), more);
  t.teardown(() => redis.program.end());
  return redis;
}

const statusOf = async (server: Server, path = '/ready') => (await fetch(server.http + path)).status;
const isReady = (server: Server, status: number) =>
  eventually(`status ${status}`, async () => ((await statusOf(server)) === status ? true : undefined));

t.test('when Redis has lost everything, no process goes on as if nothing had happened', async (t) => {
  const redis = await redisOf(t);
  const servers = ROLES.map((role) => serverOn(t, role, redis.url));
  const [broker, processor, dashboard] = servers as [Server, Server, Server];
  await Promise.all([broker.start(), processor.start()]);
  await dashboard.start('--demo');
  const racer = new Racer(broker.mqttPort).enter('d');
  await eventually('CONNACK', async () => (racer.isOpen ? true : undefined));
  racer.vote('vote/demo', 'a');
  await eventually('the first acknowledgement', async () => (racer.votes === 1 ? true : undefined));

  await tell(redis.port, 'FLUSHALL');
  const startMs = performance.now();
  racer.vote('vote/demo', 'b');
  await Promise.all(servers.map((server) => isReady(server, 503)));
  t.comment(`noticed after ${Math.round(performance.now() - startMs)} ms`);
  await eventually('the connection to end', async () => (racer.isClosed ? true : undefined));
  t.equal(racer.votes, 1, 'the second vote is not acknowledged');
  const answer = await fetch(`${dashboard.http}/api/polls`);
  t.equal(answer.status, 503, 'the polls are not listed, neither those that are gone nor none');
  t.match(await answer.json(), { type: 'urn:pollcast:store-gone', detail: /pollcast store accept/ });
  for (const server of servers) {
    t.match(server.output, /stored data is gone/, 'the log says so');
    t.match(await (await fetch(`${server.http}/metrics`)).text(), /pollcast_store_gone 1/);
  }

  const env = { POLLCAST_REDIS_URL: redis.url };
  t.match(await pollcast(['store', 'show'], env), { code: 1, stdout: /none/ });
  t.match(await pollcast(['store', 'accept'], env), { code: 1, stderr: /lost its number of partitions.*--partitions/ });
  t.match(await pollcast(['store', 'accept', '--partitions', '4'], env), { code: 0, stdout: /accepted/ });
  await Promise.all(servers.map((server) => isReady(server, 200)));
  t.match(await (await fetch(`${dashboard.http}/api/polls`)).json(), { polls: [] });
  t.match(await pollcast(['store', 'show'], env), { code: 0, stdout: /nothing/ });
  t.match(await pollcast(['store', 'show']), { code: 2, stderr: /POLLCAST_REDIS_URL/ });
});

t.test('a start waits for a Redis that hangs, and for one that is not there yet', async (t) => {
  const redis = await redisOf(t);
  const broker = serverOn(t, 'broker', redis.url);
  redis.program.signal('SIGSTOP');
  const hanging = broker.start();
  await sleep(3_000);
  redis.program.signal('SIGCONT');
  await hanging;
  t.equal(await statusOf(broker), 200);
  await broker.stop();

  await redis.program.end();
  const waiting = broker.start();
  await eventually('a message', async () => (/trying again|waits for it/.test(broker.output) ? true : undefined));
  await redis.program.start();
  await waiting;
  t.equal(await statusOf(broker), 200);
});

t.test('a start does not wait for ever, nor for a wrong password', async (t) => {
  const redis = await redisOf(t);
  const on = (url: string, seconds: number) =>
    pollcast(['broker', '--mqtt-port', '0', '--http-port', '0'], {
      POLLCAST_REDIS_URL: url,
      POLLCAST_START_WAIT_SECONDS: String(seconds),
    });
  t.match(await on('redis://127.0.0.1:1', 0), { code: 1, stderr: /does not answer .*is POLLCAST_REDIS_URL correct/ });
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'on', '>right', 'allcommands', 'allkeys', 'allchannels');
  // If it waited, this test would run into its time limit.
  const wrong = await on(`redis://votes:wrong@127.0.0.1:${redis.port}`, 600);
  t.match(wrong, { code: 1, stderr: /WRONGPASS/ });
});

t.test('a broker is ready soon after a Redis that had to load its data', async (t) => {
  // Loading takes a while, because Redis pauses for 100 µs after each key.
  const slow = ['--key-load-delay', '100', '--loading-process-events-interval-bytes', '1024'];
  const redis = await redisOf(t, slow);
  await tell(
    redis.port,
    'EVAL',
    'for i = 1, 30000 do redis.call("SET", "filler:" .. i, string.rep("x", 100)) end',
    '0',
  );
  const broker = serverOn(t, 'broker', redis.url);
  await broker.start();
  await tell(redis.port, 'BGREWRITEAOF');
  await eventually('the rewrite', async () =>
    String(await tell(redis.port, 'INFO', 'persistence')).includes('aof_rewrite_in_progress:0') ? true : undefined,
  );
  await redis.program.end();
  await isReady(broker, 503);
  const starting = redis.program.start();
  await eventually('Redis to load', async () => {
    const answer = await tell(redis.port, 'PING').catch((error: Error) => error.message);
    return String(answer).startsWith('LOADING') ? true : undefined;
  });
  await starting;
  const loadedMs = performance.now();
  await isReady(broker, 200);
  t.comment(`ready ${Math.round(performance.now() - loadedMs)} ms after Redis`);
  const racer = new Racer(broker.mqttPort).enter('d');
  t.teardown(() => racer.socket.destroy());
  await eventually('CONNACK', async () => (racer.isOpen ? true : undefined));
});

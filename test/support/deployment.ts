import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Link } from './network/link.ts';
import { Server } from './process.ts';
import { type InfluxServer, influxServer, type RedisServer, redisServer } from './servers.ts';

/** A complete deployment: two processes of each role on one Redis. The first broker's link to Redis can be cut. */
export interface Deployment {
  readonly redis: RedisServer;
  readonly influx: InfluxServer;
  readonly link: Link;
  readonly brokers: readonly Server[];
  readonly processors: readonly Server[];
  readonly dashboards: readonly Server[];
}

/** Starts a deployment with the demo poll open, and stops it at the end of the test. */
export async function deploy(t: Pick<Test, 'teardown' | 'testdir'>): Promise<Deployment> {
  const directory = t.testdir();
  const at = (name: string) => {
    const path = join(directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const redis = await redisServer(at('redis'));
  t.teardown(() => redis.program.end());
  const influx = await influxServer(at('influx'));
  t.teardown(() => influx.program.end());
  const link = await Link.to(redis.port);
  t.teardown(() => link.end());
  const on = async (command: string, name: string, url = redis.url) => {
    const server = new Server(at(name), {
      command,
      env: { POLLCAST_REDIS_URL: url, POLLCAST_INFLUX_URL: influx.url },
    });
    t.teardown(() => server.kill());
    return server;
  };
  const brokers = [await on('broker', 'broker-1', `redis://127.0.0.1:${link.port}`), await on('broker', 'broker-2')];
  const processors = [await on('processor', 'processor-1'), await on('processor', 'processor-2')];
  const dashboards = [await on('dashboard', 'dashboard-1'), await on('dashboard', 'dashboard-2')];
  await Promise.all([...brokers, ...processors].map((server) => server.start()));
  await dashboards[0]?.start('--demo');
  await dashboards[1]?.start();
  return { redis, influx, link, brokers, processors, dashboards };
}

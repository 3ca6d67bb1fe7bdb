import redisPersistence from 'aedes-persistence-redis';
import type { Redis } from 'ioredis';
import { MQEmitterRedisPrefix } from 'mqemitter-redis';
import type { Log } from '../../../runtime/log.ts';
import { parseAddress, type SentinelCredentials } from '../../redis-address.ts';
import { awaitReady, connect, type RedisConnection, replyOf } from '../connection/connection.ts';
import { SentinelWatch } from '../connection/sentinels.ts';
import { RedisSessionLedger } from './ledger.ts';
import { RedisWills } from './wills.ts';

/** The minimum time in ms between two reports of problems. */
const REPORT_EVERY_MS = 10_000;

/**
 * MQTT sessions and retained messages in Redis, shared by all brokers, through aedes-persistence-redis and mqemitter-redis.
 * Counting does not depend on them. They use three separate connections, because announcements must not delay votes, and a
 * subscriber cannot run other commands.
 */
export async function openRedisSessions(url: string, prefix: string, log: Log, sentinels: SentinelCredentials = {}) {
  const address = parseAddress(url, sentinels);
  const keyPrefix = `${prefix}:mqtt:`;
  const keeping = connect(address, { name: 'MQTT sessions', keyPrefix }, log);
  const publishing = connect(address, { name: 'MQTT announcements' }, log);
  const listening = connect(address, { name: 'MQTT messages', isSubscriber: true }, log);
  const all = [keeping, publishing, listening];
  withStoreErrors(keeping);
  const ledger = new RedisSessionLedger(keeping);
  try {
    // The emitter subscribes immediately. On a connection that is not ready, that would fail and end the process.
    await Promise.all(all.map((connection) => awaitReady(connection, address)));
    await ledger.adopt(Date.now());
  } catch (error) {
    for (const connection of all) connection.disconnect();
    throw error;
  }
  const watch = SentinelWatch.open(address, all, log);
  const persistence = redisPersistence({
    conn: keeping,
    cluster: address.mode === 'cluster',
  });
  // A separate prefix, because a message that another program publishes in this Redis could end the process.
  const emitter = new MQEmitterRedisPrefix(keyPrefix, {
    pubConn: publishing as Redis,
    subConn: listening as Redis,
    matchEmptyLevels: true,
    separator: '/',
    wildcardOne: '+',
    wildcardSome: '#',
  });
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  const report = (error: Error) => {
    if (performance.now() - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = performance.now();
    log.warn({ err: error }, 'problem with MQTT sessions or announcements; votes are not affected');
  };
  emitter.state.on('error', report);
  // Aedes does not handle errors while it reads retained messages for a SUBSCRIBE, and an unhandled error ends the process.
  const read = persistence.createRetainedStreamCombi.bind(persistence);
  persistence.createRetainedStreamCombi = (filters) => read(filters).on('error', report);
  // Aedes closes the emitter, which would send QUIT to Redis and fail during an outage. The connections are closed below.
  emitter.close = (done) => done();
  return {
    persistence,
    ledger,
    wills: new RedisWills(keeping),
    emitter,
    close: async () => {
      watch?.close();
      for (const connection of all) connection.disconnect();
    },
  };
}

/**
 * Turns the connection’s failures into `StoreError`s. Aedes does not await all of its writes: if a device disconnects during an
 * outage, the rejection is unhandled, and only the class of the error distinguishes an outage from a bug.
 */
function withStoreErrors(connection: RedisConnection): void {
  const send = connection.sendCommand.bind(connection) as (...args: unknown[]) => Promise<unknown>;
  (connection as { sendCommand: unknown }).sendCommand = (...args: unknown[]) => replyOf(send(...args));
}

import redisPersistence from 'aedes-persistence-redis';
import type { Redis } from 'ioredis';
import { MQEmitterRedisPrefix } from 'mqemitter-redis';
import type { Log } from '../../runtime/log.ts';
import { parseAddress } from '../redis-address.ts';
import { asked, type Connection, connect, ready } from './connection.ts';

/** Messages that wait for a session that is away are kept so long: a day. */
const PACKET_TTL_SECONDS = 86_400;
/** How often one and the same trouble of a connection is told, ms. */
const TELL_EVERY_MS = 10_000;

/**
 * MQTT sessions and retained messages in Redis, for all brokers: aedes-persistence-redis and mqemitter-redis. Counting
 * never rests on them. Connections of their own: announcements must not delay votes, and a subscriber can do nothing
 * else.
 */
export async function openSessions(url: string, prefix: string, log: Log) {
  const address = parseAddress(url);
  const keyPrefix = `${prefix}:mqtt:`;
  const keeping = connect(address, { name: 'MQTT sessions', keyPrefix }, log);
  const publishing = connect(address, { name: 'MQTT announcements' }, log);
  const listening = connect(address, { name: 'MQTT messages', isSubscriber: true }, log);
  const all = [keeping, publishing, listening];
  try {
    // The emitter subscribes at once; a connection that is not ready yet cannot, and would end the process.
    await Promise.all(all.map((connection) => ready(connection, address)));
  } catch (error) {
    for (const connection of all) connection.disconnect();
    throw error;
  }
  const persistence = redisPersistence({
    conn: withStoreErrors(keeping),
    cluster: address.mode === 'cluster',
    packetTTL: () => PACKET_TTL_SECONDS,
  });
  // A prefix of its own: a message that somebody else publishes in this Redis could otherwise end the process.
  const emitter = new MQEmitterRedisPrefix(keyPrefix, {
    pubConn: publishing as Redis,
    subConn: listening as Redis,
    matchEmptyLevels: true,
    separator: '/',
    wildcardOne: '+',
    wildcardSome: '#',
  });
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const tell = (error: Error) => {
    if (performance.now() - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = performance.now();
    log.warn({ err: error }, 'MQTT sessions and announcements are disturbed; votes are not affected');
  };
  emitter.state.on('error', tell);
  // Aedes does not listen for errors of the retained messages it reads for a SUBSCRIBE: unheard, one ends the process.
  const read = persistence.createRetainedStreamCombi.bind(persistence);
  persistence.createRetainedStreamCombi = (filters) => read(filters).on('error', tell);
  // Aedes would have it say goodbye to Redis, which fails during an outage; the connections are closed below.
  emitter.close = (done) => done();
  return {
    persistence,
    emitter,
    close: async () => {
      for (const connection of all) connection.disconnect();
    },
  };
}

/**
 * The same connection, whose failures are `StoreError`s. Aedes does not wait for all it writes: an outage and one device
 * that hangs up would be a rejection that nobody hears, and that tells a defect from an outage only by its name.
 */
function withStoreErrors(connection: Connection): Connection {
  const send = connection.sendCommand.bind(connection) as (...args: unknown[]) => Promise<unknown>;
  (connection as { sendCommand: unknown }).sendCommand = (...args: unknown[]) => asked(send(...args));
  return connection;
}

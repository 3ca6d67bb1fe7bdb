import { join, resolve } from 'node:path';
import type { Config } from '../core/config/config.ts';
import type { Scope } from '../core/process/scope.ts';
import type { Log } from '../core/runtime/log.ts';
import { openEmbeddedSessions } from '../core/store/embedded/sessions/sessions.ts';
import { EmbeddedStore } from '../core/store/embedded/store.ts';
import { openRedisSessions } from '../core/store/redis/sessions/sessions.ts';
import { RedisStore } from '../core/store/redis/store.ts';
import { EmbeddedSeries } from '../core/store/series/embedded.ts';
import { InfluxSeries } from '../core/store/series/influx.ts';
import type { Series } from '../core/store/series/series.ts';
import type { Store } from '../core/store/store.ts';
import { tokenOfDirectory, tokenOfStore } from './token.ts';

/** Where all data is stored: in a local data directory, or in a Redis that several processes share. */
export interface Stores {
  readonly store: Store;
  /** Absent if no time series are kept. */
  readonly series: Series | undefined;
  /** Opens the store for MQTT sessions and retained messages. */
  readonly sessions: () => ReturnType<typeof openEmbeddedSessions> | ReturnType<typeof openRedisSessions>;
  /** Returns the generated operator token, which is used if none is configured. */
  readonly token: () => Promise<string>;
}

export interface StoreEvents {
  /** Called with the reason if the process can only stop. */
  readonly halt: (why: string) => void;
  /** Called when a restart or failover of the store has lost log entries. */
  readonly onLoss: () => void;
}

/**
 * Opens the stores that the configuration selects. This is the only place where implementations are chosen.
 *
 * @param events what the process must know of its stores
 */
export async function openStores(config: Config, log: Log, scope: Scope, events: StoreEvents): Promise<Stores> {
  const { redisUrl: url, redisPrefix: prefix, partitions, durability, replicas, influxUrl } = config;
  const { sentinelUsername, sentinelPassword } = config;
  if (url === '') {
    const directory = resolve(config.dataDir);
    const report = (message: string) => log.error(message);
    const onChange = (reason: string | undefined) => {
      if (reason === undefined) log.info('votes are stored again');
      else log.error({ reason }, 'votes cannot be stored, so they are not acknowledged');
    };
    const onTakenOver = events.halt;
    const options = { directory, partitions, onChange, onTakenOver, report: (message: string) => log.warn(message) };
    const store = await scope.open('store', EmbeddedStore.open(options));
    const series = influxUrl === '' ? EmbeddedSeries.open(directory, report) : InfluxSeries.open(influxUrl, log);
    return {
      store,
      series: await scope.open<Series>('series', series),
      sessions: () => openEmbeddedSessions(directory, report),
      token: () => tokenOfDirectory(directory),
    };
  }
  const sentinels = { sentinelUsername, sentinelPassword };
  const keysDirectory = join(resolve(config.dataDir), 'redis-keys');
  const options = {
    ...{ url, ...sentinels, prefix, partitions, durability, replicas, keysDirectory },
    onLoss: events.onLoss,
  };
  const store = await scope.open('store', RedisStore.open(options, log));
  return {
    store,
    series: influxUrl === '' ? undefined : await scope.open('series', InfluxSeries.open(influxUrl, log)),
    sessions: () => openRedisSessions(url, prefix, log, sentinels),
    token: () => tokenOfStore(store.registry),
  };
}

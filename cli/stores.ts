import { resolve } from 'node:path';
import type { Config } from '../core/runtime/config.ts';
import type { Log } from '../core/runtime/log.ts';
import { openSessions as openEmbeddedSessions } from '../core/store/embedded/sessions.ts';
import { EmbeddedStore } from '../core/store/embedded/store.ts';
import { openSessions as openRedisSessions } from '../core/store/redis/sessions.ts';
import { RedisStore } from '../core/store/redis/store.ts';
import { EmbeddedSeries } from '../core/store/series/embedded.ts';
import { InfluxSeries } from '../core/store/series/influx.ts';
import type { Series } from '../core/store/series/series.ts';
import type { Store } from '../core/store/store.ts';
import { tokenOfDirectory, tokenOfStore } from './token.ts';

/** Where everything is kept: in this process, or in a Redis that many processes share. */
export interface Stores {
  readonly store: Store;
  /** Absent where no time series are kept. */
  readonly series: Series | undefined;
  /** Opens MQTT sessions and retained messages. */
  readonly sessions: () => ReturnType<typeof openEmbeddedSessions> | ReturnType<typeof openRedisSessions>;
  /** The operator token that was made, when none is configured. */
  readonly token: () => Promise<string>;
}

export function createStores(config: Config, log: Log): Stores {
  const influx = config.influxUrl === '' ? undefined : new InfluxSeries(config.influxUrl, log);
  const { redisUrl: url, redisPrefix: prefix, partitions, durability, replicas } = config;
  if (url === '') {
    const directory = resolve(config.dataDir);
    return {
      store: new EmbeddedStore({ directory, partitions }),
      series: influx ?? new EmbeddedSeries(directory),
      sessions: () => openEmbeddedSessions(directory),
      token: () => tokenOfDirectory(directory),
    };
  }
  const store = new RedisStore({ url, prefix, partitions, durability, replicas }, log);
  return {
    store,
    series: influx,
    sessions: () => openRedisSessions(url, prefix, log),
    token: () => tokenOfStore(store.registry),
  };
}

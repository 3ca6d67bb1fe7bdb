import type { Registry } from 'prom-client';
import type { Config } from '../core/config/config.ts';
import { PollBook } from '../core/live/poll-book.ts';
import { Descriptors, descriptorLimit } from '../core/process/descriptors.ts';
import { countLosses, createMetrics, measureGone } from '../core/process/metrics.ts';
import { Networks } from '../core/process/networks.ts';
import { Readiness } from '../core/process/readiness.ts';
import { Scope } from '../core/process/scope.ts';
import { Tls } from '../core/process/tls/tls.ts';
import { WaitingSockets } from '../core/process/waiting-sockets.ts';
import { inUrl } from '../core/runtime/host.ts';
import type { Log } from '../core/runtime/log.ts';
import { openStores, type Stores } from './stores.ts';

/** The role of a process: one of the three parts, or all of them. */
export type Role = 'broker' | 'processor' | 'dashboard' | 'all';

/** What every role needs. */
export interface Foundation extends Stores {
  readonly config: Config;
  readonly log: Log;
  readonly scope: Scope;
  readonly metrics: Registry;
  readonly readiness: Readiness;
  readonly descriptors: Descriptors;
  /** The certificates; undefined without TLS. */
  readonly tls: Tls | undefined;
  /** The proxies whose X-Forwarded-For is trusted. */
  readonly proxies: Networks;
  readonly sockets: WaitingSockets;
  readonly polls: PollBook;
}

/**
 * Opens what every role needs. @throws the first error, after closing whatever had already been opened
 *
 * @param halt called with the reason if the process can only stop
 */
export async function openFoundation(
  role: Role,
  config: Config,
  log: Log,
  halt: (why: string) => void,
): Promise<Foundation> {
  const scope = new Scope(log);
  const metrics = createMetrics(role);
  const wanted = connectionsOf(role, config);
  const descriptors = new Descriptors({ limit: descriptorLimit(), wanted, metrics, log });
  const tls = config.tlsCert === '' ? undefined : await scope.open('tls', Tls.open({ files: config, metrics, log }));
  const stores = await openStores(config, log, scope, { halt, onLoss: countLosses(metrics) });
  const proxies = new Networks(config.trustedProxies);
  const sockets = new WaitingSockets({ proxies, descriptors, metrics, log });
  scope.add('sockets', () => sockets.close());
  const readiness = await scope.open('readiness', Readiness.open(stores.store, metrics, log));
  const polls = await scope.open('polls', PollBook.open(stores.store.registry, log));
  measureGone(metrics, stores.store, polls);
  return { ...stores, config, log, scope, metrics, readiness, descriptors, proxies, sockets, tls, polls };
}

/** How many connections a role may have by its settings. */
function connectionsOf(role: Role, { maxConnections, maxViewers }: Config): number {
  const [devices, viewers] = [role === 'broker' || role === 'all', role === 'dashboard' || role === 'all'];
  return (devices ? maxConnections : 0) + (viewers ? maxViewers : 0);
}

/** The address at which this process can reach itself: a wildcard address cannot be connected to. */
export function ownAddress(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : inUrl(host);
}

import { devicesDoor, openDoor } from '../broker/admission/door.ts';
import { Broker } from '../broker/broker.ts';
import { brokerMetrics } from '../broker/metrics.ts';
import { GuestBook } from '../core/devices/guest.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Foundation } from './foundation.ts';

/** Opens the MQTT broker. Open it last, so that it closes first: open WebSockets keep the HTTP server from closing. */
export function openBroker(foundation: Foundation, results: LiveResults): Promise<Broker> {
  const { config, scope, store, polls, sessions, metrics, descriptors, tls, log } = foundation;
  const { registry } = store;
  const door = config.door === 'open' ? openDoor : devicesDoor(registry, new GuestBook(registry), tls?.demandsClients);
  const parts = {
    store,
    polls,
    results,
    door,
    doorKind: config.door,
    sessions,
    metrics: brokerMetrics(metrics),
    descriptors,
    tls,
    log,
  };
  return scope.open('broker', Broker.open(parts, config));
}

import { devicesDoor, openDoor } from '../broker/admission/door.ts';
import { Broker } from '../broker/broker.ts';
import { MissingKeys } from '../broker/intake/missing-keys.ts';
import { brokerMetrics } from '../broker/metrics.ts';
import { GuestBook } from '../core/devices/guests/guest-book.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Foundation } from './foundation.ts';

/** Opens the MQTT broker. Open it last, so that it closes first: open WebSockets keep the HTTP server from closing. */
export async function openBroker(foundation: Foundation, results: LiveResults): Promise<Broker> {
  const { config, scope, store, polls, sessions, metrics, readiness, descriptors, tls, log } = foundation;
  const { registry } = store;
  const { guestHours } = config;
  const guests =
    config.door === 'open' ? undefined : await scope.open('guests', GuestBook.open({ registry, guestHours, log }));
  const door = guests ? devicesDoor(registry, guests, tls?.demandsClients) : openDoor;
  const missingKeys = new MissingKeys(polls);
  // Only as long as it may help: devices that come to this broker next vote in other polls as well.
  readiness.demand('round-key', () => {
    const keyless = missingKeys.expected;
    return keyless && `the key of the secret round of poll ${keyless} is missing here, so votes in it are not taken`;
  });
  const parts = {
    store,
    polls,
    results,
    door,
    guests,
    doorKind: config.door,
    sessions,
    missingKeys,
    metrics: brokerMetrics(metrics),
    descriptors,
    tls,
    log,
  };
  return scope.open('broker', Broker.open(parts, config));
}

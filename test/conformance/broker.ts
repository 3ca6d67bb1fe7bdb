import { openFoundation } from '../../app/foundation.ts';
import type { Door } from '../../broker/admission/door.ts';
import { Broker } from '../../broker/broker.ts';
import { DEVICE_PERMISSIONS, type Permissions } from '../../broker/connection/permissions.ts';
import { brokerMetrics } from '../../broker/metrics.ts';
import { readConfig } from '../../core/config/config.ts';
import { LiveResults } from '../../core/live/results.ts';
import { createLog } from '../../core/runtime/log.ts';

/** What a suite expects to be refused, see `nosubscribe_topics` in the Paho suites. */
const NO_SUBSCRIBE = 'test/nosubscribe';

/** Every topic may be used, as in other brokers. Only tests have such permissions: no setting of the product leads here. */
const ANY_TOPIC: Permissions = {
  publication(topic, device) {
    const what = DEVICE_PERMISSIONS.publication(topic, device);
    return what.is === 'forbidden' && !topic.startsWith('$SYS/') ? { is: 'for others' } : what;
  },
  maySubscribe: (filter) => filter !== NO_SUBSCRIBE,
  mayWill: () => true,
};

/** Admits every client id, also those that are no ids of devices. */
const anyClient: Door = async (device) => ({ elector: { device, isRegistered: false, isGuest: false } });

/** A broker on a free loopback port on which conformance suites of other projects can run. */
export interface ConformanceBroker {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens the product’s own broker, with all of its hooks, except that clients may use any topic and any client id. */
export async function openConformanceBroker(directory: string): Promise<ConformanceBroker> {
  const config = readConfig({ mqttPort: '0', dataDir: directory, logLevel: 'silent' }, {});
  const foundation = await openFoundation('broker', config, createLog(config.logLevel), () => {});
  const { scope, store, polls, sessions, metrics, descriptors, log } = foundation;
  try {
    const results = await scope.open('results', LiveResults.open(store, polls, log));
    const parts = {
      store,
      polls,
      results,
      door: anyClient,
      doorKind: 'open' as const,
      permissions: ANY_TOPIC,
      sessions,
      metrics: brokerMetrics(metrics),
      descriptors,
      log,
    };
    const broker = await scope.open('broker', Broker.open(parts, config));
    return { port: broker.port, close: async () => void (await scope.close()) };
  } catch (error) {
    await scope.close();
    throw error;
  }
}

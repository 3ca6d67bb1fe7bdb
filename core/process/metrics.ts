import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { version } from './version.ts';

/**
 * The Prometheus metrics of one process. Pollcast’s own names begin with `pollcast_`; units are seconds and bytes.
 *
 * @param role what this process does: broker, processor, dashboard, or all
 */
export function createMetrics(role: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const info = new Gauge({
    name: 'pollcast_info',
    help: 'Role and version of this process; always 1',
    labelNames: ['role', 'version'],
    registers: [registry],
  });
  info.set({ role, version }, 1);
  return registry;
}

import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * The metrics of one process, in Prometheus's terms. Names begin with `pollcast_`; seconds and bytes are the units.
 *
 * @param role what this process does: broker, processor, dashboard, or all
 */
export function createMetrics(role: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const info = new Gauge({
    name: 'pollcast_info',
    help: 'What this process is; always 1',
    labelNames: ['role', 'version'],
    registers: [registry],
  });
  info.set({ role, version }, 1);
  return registry;
}

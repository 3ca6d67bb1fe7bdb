import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { PollBook } from '../live/poll-book.ts';
import type { Store } from '../store/store.ts';
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

/** Counts the losses of log entries that a restart or failover of the store has caused. @returns what to call at each */
export function countLosses(registry: Registry): () => void {
  const losses = new Counter({
    name: 'pollcast_store_losses_total',
    help: 'How often a restart or failover of the store lost log entries of a partition that were acknowledged or read before',
    registers: [registry],
  });
  return () => losses.inc();
}

/** Counts how often the thread that computes large results was lost. @returns what to call each time */
export function countCalculatorLosses(registry: Registry): () => void {
  const losses = new Counter({
    name: 'pollcast_calculator_losses_total',
    help: 'How often the thread that computes large results ended unexpectedly and was replaced',
    registers: [registry],
  });
  return () => losses.inc();
}

/** Measures what the store has lost. */
export function measureGone(registry: Registry, store: Store, polls: PollBook): void {
  new Gauge({
    name: 'pollcast_store_gone',
    help: '1 while stored data is gone and no votes are acknowledged, 0 otherwise',
    registers: [registry],
    collect() {
      const condition = store.condition();
      this.set(!condition.ok && condition.isGone ? 1 : 0);
    },
  });
  new Gauge({
    name: 'pollcast_rounds_without_key',
    help: 'Secret rounds under way whose key this process does not have, so that as a broker it takes no votes in them',
    registers: [registry],
    collect() {
      this.set(polls.all().filter(({ missingKey }) => missingKey !== undefined).length);
    },
  });
  new Gauge({
    name: 'pollcast_ballot_entries_missing',
    help: 'Counted entries that are damaged or gone and whose ballots are not stored, in the last answers about open rounds',
    registers: [registry],
    collect() {
      let missing = 0;
      for (let partition = 0; partition < store.log.partitions; partition++)
        missing += store.ballots.missing(partition);
      this.set(missing);
    },
  });
  const vanished = new Counter({
    name: 'pollcast_polls_vanished_total',
    help: 'Polls that vanished from the store without having been deleted',
    registers: [registry],
  });
  polls.on('vanished', () => vanished.inc());
}

import { Counter } from '../processors/counting/counter.ts';
import { PartitionLeases } from '../processors/counting/partition-leases.ts';
import { Trimmer } from '../processors/counting/trimmer.ts';
import { processorMetrics } from '../processors/metrics.ts';
import { DeviceHealth } from '../processors/series/device-health.ts';
import { SeriesWriter } from '../processors/series/series-writer.ts';
import type { Foundation } from './foundation.ts';

/**
 * Opens a processor, which counts votes, trims the log and, if time series are kept, writes them.
 *
 * @param isWatched whether somebody in this process follows results
 */
export async function openProcessor(foundation: Foundation, isWatched?: () => boolean): Promise<void> {
  const { scope, store, series, polls, config, log } = foundation;
  const metrics = processorMetrics(foundation.metrics);
  const { partitions } = await scope.open('leases', PartitionLeases.open({ store, metrics, log }));
  const counter = await scope.open('counter', Counter.open({ store, partitions, metrics, log, isWatched }));
  foundation.readiness.demand('newer-entries', () => counter.problem);
  const { retentionDays } = config;
  await scope.open('trimmer', Trimmer.open({ store, polls, partitions, retentionDays, log }));
  if (!series) return;
  await scope.open('series writer', SeriesWriter.open({ store, polls, series, partitions, metrics, log }));
  await scope.open('device health', DeviceHealth.open({ store, series, partitions, log }));
}

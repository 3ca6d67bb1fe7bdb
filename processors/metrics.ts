import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What a processor tells of itself. */
export type ProcessorMetrics = ReturnType<typeof processorMetrics>;

export function processorMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    leased: new Gauge({ name: 'pollcast_partitions_leased', help: 'Partitions this process counts', registers }),
    lagEntries: new Gauge({
      name: 'pollcast_partition_lag_entries',
      help: 'Log entries that wait to be counted',
      labelNames: ['partition'] as const,
      registers,
    }),
    lagSeconds: new Gauge({
      name: 'pollcast_partition_lag_seconds',
      help: 'Age of the oldest log entry that waits to be counted',
      labelNames: ['partition'] as const,
      registers,
    }),
    commits: new Counter({
      name: 'pollcast_commits_total',
      help: 'Commits: done, lost to another processor, or failed',
      labelNames: ['outcome'] as const,
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'pollcast_commit_seconds',
      help: 'How long a commit took',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    commitVotes: new Histogram({
      name: 'pollcast_commit_votes',
      help: 'Votes in a commit',
      buckets: [1, 5, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
      registers,
    }),
    seriesBacklog: new Gauge({
      name: 'pollcast_series_backlog_points',
      help: 'Points that wait to be written to the series',
      registers,
    }),
    seriesWritten: new Counter({
      name: 'pollcast_series_written_total',
      help: 'Points written to the series',
      registers,
    }),
    seriesDropped: new Counter({
      name: 'pollcast_series_dropped_total',
      help: 'Points given up: the backlog was full, or the database refused them for good',
      labelNames: ['why'] as const,
      registers,
    }),
    seriesSeconds: new Histogram({
      name: 'pollcast_series_write_seconds',
      help: 'How long a write to the series took',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  };
  // What has not happened yet is 0 and not absent: otherwise a graph misses the first time.
  for (const outcome of ['done', 'lost', 'failed']) metrics.commits.inc({ outcome }, 0);
  for (const why of ['backlog-full', 'refused']) metrics.seriesDropped.inc({ why }, 0);
  return metrics;
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The metrics of a processor. */
export type ProcessorMetrics = ReturnType<typeof processorMetrics>;

export function processorMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    leased: new Gauge({ name: 'pollcast_partitions_leased', help: 'Partitions this process counts', registers }),
    lagEntries: new Gauge({
      name: 'pollcast_partition_lag_entries',
      help: 'Log entries that have not been counted yet',
      labelNames: ['partition'] as const,
      registers,
    }),
    lagSeconds: new Gauge({
      name: 'pollcast_partition_lag_seconds',
      help: 'Age of the oldest log entry that has not been counted yet',
      labelNames: ['partition'] as const,
      registers,
    }),
    commits: new Counter({
      name: 'pollcast_commits_total',
      help: 'Commits, by outcome: done, lost to another processor, or failed',
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
    unreadable: new Counter({
      name: 'pollcast_log_entries_unreadable_total',
      help: 'Log entries that could not be read and were set aside; open rounds lack a part',
      registers,
    }),
    incomplete: new Counter({
      name: 'pollcast_ballots_lost_total',
      help: 'Take-overs of partitions whose log lacks counted entries with ballots that were not stored, or has them damaged; open rounds lack a part',
      registers,
    }),
    waitingForNewer: new Gauge({
      name: 'pollcast_partitions_waiting',
      help: 'Partitions whose next log entry is in a newer format that this process cannot read',
      registers,
    }),
    seriesBacklog: new Gauge({
      name: 'pollcast_series_backlog_points',
      help: 'Points waiting to be written to the time series',
      registers,
    }),
    seriesWritten: new Counter({
      name: 'pollcast_series_written_total',
      help: 'Points written to the time series',
      registers,
    }),
    seriesDropped: new Counter({
      name: 'pollcast_series_dropped_total',
      help: 'Points dropped because the backlog was full or the database rejected them',
      labelNames: ['why'] as const,
      registers,
    }),
    seriesSeconds: new Histogram({
      name: 'pollcast_series_write_seconds',
      help: 'How long a write to the time series took',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  };
  // Start at 0: if a series were absent until its first event, graphs of rates would miss that event.
  for (const outcome of ['done', 'lost', 'failed']) metrics.commits.inc({ outcome }, 0);
  for (const why of ['backlog-full', 'refused']) metrics.seriesDropped.inc({ why }, 0);
  return metrics;
}

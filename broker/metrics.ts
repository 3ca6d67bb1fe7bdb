import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { REASONS } from '../core/voting/rules/rejection.ts';
import { PACKET_CLASSES } from './connection/flow/pace.ts';
import { DEPARTURES, REFUSALS } from './connection/reasons.ts';

/** The metrics of a broker. */
export type BrokerMetrics = ReturnType<typeof brokerMetrics>;

export function brokerMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    connections: new Gauge({ name: 'pollcast_mqtt_connections', help: 'Open MQTT connections', registers }),
    strangers: new Gauge({
      name: 'pollcast_mqtt_strangers',
      help: 'Open connections on which no CONNECT has come yet',
      registers,
    }),
    inFlight: new Gauge({
      name: 'pollcast_votes_in_flight',
      help: 'PUBLISH and PUBREL packets received but not yet acknowledged',
      registers,
    }),
    accepted: new Counter({
      name: 'pollcast_votes_accepted_total',
      help: 'Votes stored in the log and acknowledged',
      registers,
    }),
    rejected: new Counter({
      name: 'pollcast_votes_rejected_total',
      help: 'Votes rejected, by reason; they are logged as rejections and acknowledged',
      labelNames: ['reason'] as const,
      registers,
    }),
    failed: new Counter({
      name: 'pollcast_votes_failed_total',
      help: 'Votes not acknowledged because they could not be stored; devices send them again',
      registers,
    }),
    refused: new Counter({
      name: 'pollcast_mqtt_refused_total',
      help: 'Connections, subscriptions and messages that were refused, by reason',
      labelNames: ['why'] as const,
      registers,
    }),
    takeovers: new Counter({
      name: 'pollcast_mqtt_takeovers_total',
      help: 'Connections that were closed because the same device connected again',
      registers,
    }),
    disconnected: new Counter({
      name: 'pollcast_mqtt_disconnected_total',
      help: 'Connections of admitted devices that ended, by reason',
      labelNames: ['why'] as const,
      registers,
    }),
    slowed: new Counter({
      name: 'pollcast_mqtt_slowed_total',
      help: 'Packets that had to wait because their connection, or all of them together, sent too many, by kind of packet',
      labelNames: ['packet'] as const,
      registers,
    }),
    appendSeconds: new Histogram({
      name: 'pollcast_append_seconds',
      help: 'How long it took to store a log entry',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    appendVotes: new Histogram({
      name: 'pollcast_append_votes',
      help: 'Votes and rejections in a log entry',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000],
      registers,
    }),
  };
  // Start at 0: if a series were absent until its first event, graphs of rates would miss that event.
  for (const reason of REASONS) metrics.rejected.inc({ reason }, 0);
  for (const why of REFUSALS) metrics.refused.inc({ why }, 0);
  for (const why of DEPARTURES) metrics.disconnected.inc({ why }, 0);
  for (const packet of PACKET_CLASSES) metrics.slowed.inc({ packet }, 0);
  return metrics;
}

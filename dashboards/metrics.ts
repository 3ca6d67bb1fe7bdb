import { Counter, Gauge, type Registry } from 'prom-client';
import { JOIN_OUTCOMES } from './joining/joining.ts';

/** How a stream begins: straight from the first bytes of its connection, or in the HTTP server. */
export const WAYS = ['straight', 'server'] as const;
export type Way = (typeof WAYS)[number];

/** The metrics of a dashboard process. */
export type DashboardMetrics = ReturnType<typeof dashboardMetrics>;

export function dashboardMetrics(registry: Registry) {
  const registers = [registry];
  // Plain numbers: counting each frame of each viewer in the counters would cost a tenth of what sending it does.
  const sent = { frames: 0, bytes: 0 };
  const metrics = {
    sent,
    viewers: new Gauge({ name: 'pollcast_viewers', help: 'Open result streams', registers }),
    begun: new Counter({
      name: 'pollcast_streams_begun_total',
      help: 'Result streams that have begun, by way: straight from the first bytes of a connection, or in the HTTP server, which costs more',
      labelNames: ['way'] as const,
      registers,
    }),
    frames: new Counter({
      name: 'pollcast_stream_frames_total',
      help: 'Frames sent to viewers',
      registers,
      collect() {
        this.reset();
        this.inc(sent.frames);
      },
    }),
    bytes: new Counter({
      name: 'pollcast_stream_bytes_total',
      help: 'Bytes of frames sent to viewers',
      registers,
      collect() {
        this.reset();
        this.inc(sent.bytes);
      },
    }),
    cut: new Counter({
      name: 'pollcast_api_clients_cut_total',
      help: 'Clients of the API that were cut because they hardly read their answers',
      registers,
    }),
    joins: new Counter({
      name: 'pollcast_guest_joins_total',
      help: 'Requests of phones to join a room, by outcome: within the budget of their address, after a proof of work, asked for a proof, refused because of their join code, or because there is no such room',
      labelNames: ['outcome'] as const,
      registers,
    }),
    signIns: new Counter({
      name: 'pollcast_sign_ins_total',
      help: 'Sign-ins at the identity provider, and its access tokens that were refused, by outcome: done, not begun in that browser, refused, without a role, or the provider was away',
      labelNames: ['outcome'] as const,
      registers,
    }),
    recounts: new Counter({
      name: 'pollcast_recounts_total',
      help: 'Recounts of rounds, by outcome: agrees, or differs if two recounts found that the count is wrong',
      labelNames: ['outcome'] as const,
      registers,
    }),
  };
  // Start at 0: if a series were absent until its first event, graphs of rates would miss that event.
  for (const way of WAYS) metrics.begun.inc({ way }, 0);
  for (const outcome of JOIN_OUTCOMES) metrics.joins.inc({ outcome }, 0);
  for (const outcome of ['done', 'unknown', 'refused', 'no-role', 'away']) metrics.signIns.inc({ outcome }, 0);
  for (const outcome of ['agrees', 'differs']) metrics.recounts.inc({ outcome }, 0);
  return metrics;
}

import { Counter, Gauge, type Registry } from 'prom-client';

/** The metrics of a dashboard process. */
export type DashboardMetrics = ReturnType<typeof dashboardMetrics>;

export function dashboardMetrics(registry: Registry) {
  const registers = [registry];
  return {
    viewers: new Gauge({ name: 'pollcast_viewers', help: 'Open result streams', registers }),
    frames: new Counter({ name: 'pollcast_stream_frames_total', help: 'Frames sent to viewers', registers }),
  };
}

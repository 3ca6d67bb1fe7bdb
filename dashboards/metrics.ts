import { Counter, Gauge, type Registry } from 'prom-client';

/** What a dashboard process tells of itself. */
export type DashboardMetrics = ReturnType<typeof dashboardMetrics>;

export function dashboardMetrics(registry: Registry) {
  const registers = [registry];
  return {
    viewers: new Gauge({ name: 'pollcast_viewers', help: 'Result streams open now', registers }),
    frames: new Counter({ name: 'pollcast_stream_frames_total', help: 'Frames sent to viewers', registers }),
  };
}

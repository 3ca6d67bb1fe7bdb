import { fileURLToPath } from 'node:url';
import { followPoll } from '../../client/stream.ts';
import { ScreenLatency } from '../../devices-sim/latency.ts';
import { Load } from '../load.ts';
import type { Measured, MeasureOptions } from '../measuring/measure.ts';
import { Subject } from '../subject.ts';
import type { Point } from './axes.ts';

const VIEWERS = fileURLToPath(new URL('./viewers.child.js', import.meta.url));
/** Time in ms for the last frame to arrive. */
const LAST_FRAME_MS = 500;

/**
 * Measures how long votes take to reach a screen while others follow the same result. The load is written in Node.js, because
 * one process has to see both the vote and the screen. Its rate is low enough for Node.js.
 *
 * @returns latencies from vote to screen; CPU per vote includes the streams of all viewers
 */
export async function measureScreen(point: Point, { warmUpSeconds, seconds }: MeasureOptions): Promise<Measured> {
  const { contender, workload, viewers = 1 } = point;
  const rate = 'rate' in workload.load ? workload.load.rate : 0;
  const running = await contender.start();
  const { api } = running;
  if (!api) throw new Error('only Pollcast has viewers');
  const load = new Load({ port: running.port, connections: workload.connections, topic: 'vote/demo' });
  let crowd: Subject | undefined;
  try {
    crowd = await Subject.start(process.execPath, [VIEWERS, new URL(api.base).port, String(viewers)], 'running');
    await load.connect();
    await load.pace(rate, warmUpSeconds * 1_000, () => {});
    await new Promise((resolve) => setTimeout(resolve, LAST_FRAME_MS));
    const before = await running.counted();
    const screen = new ScreenLatency(before);
    const listener = {
      onResult: ({ votes }: { votes: number | null }) => screen.seen(votes ?? 0, performance.now()),
    };
    const stop = followPoll('demo', listener, { base: api.base, headers: api.headers });
    const cpuBeforeMs = running.cpuMs;
    const ownBefore = process.cpuUsage();
    let sent = 0;
    await load.pace(rate, seconds * 1_000, (sentAtMs) => {
      screen.acknowledged(sentAtMs);
      sent++;
    });
    await new Promise((resolve) => setTimeout(resolve, LAST_FRAME_MS));
    const own = process.cpuUsage(ownBefore);
    const serverCpuUs = ((running.cpuMs - cpuBeforeMs) * 1_000) / sent;
    stop();
    const counted = await running.counted();
    if (counted !== before + sent) throw new Error(`${before + sent} votes were sent, but ${counted} were counted`);
    const { p50, p99 } = screen.percentiles;
    return {
      perSecond: sent / seconds,
      serverCpuUs,
      generatorCpuUs: (own.user + own.system) / sent,
      p50Ms: p50,
      p99Ms: p99,
      countMs: Number.NaN,
      missing: 0,
      memory: running.memory,
    };
  } finally {
    load.close();
    await crowd?.stop();
    await running.stop();
  }
}

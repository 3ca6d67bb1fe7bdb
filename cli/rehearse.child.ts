import { isPassed } from '../devices-sim/report.ts';
import { Simulation } from '../devices-sim/simulation.ts';
import type { RehearsalNews, RehearsalTask } from './rehearse.ts';

/** The share of devices that vote all at once at the end. */
const BURST = 0.3;
/** How often progress is told, ms. */
const TELL_EVERY_MS = 200;

const tell = (news: RehearsalNews): void => void process.send?.(news);
/** Tells the outcome, and hangs up once it is told. */
const tellLast = (news: RehearsalNews): void => void process.send?.(news, () => process.disconnect());

// Whoever asked for it is gone: so are its devices.
process.on('disconnect', () => process.exit(1));
process.once('message', async ({ order, mqttUrl, httpUrl, token, limitMs }: RehearsalTask) => {
  let toldAtMs = 0;
  const simulation = new Simulation(
    {
      mqttUrl,
      httpUrl,
      token,
      poll: order.poll,
      devices: order.devices,
      credentials: order.credentials,
      votes: 1,
      rampMs: order.seconds * 1000,
      burst: BURST,
      qosMix: [0, 1, 0],
      payload: 'mixed',
      limitMs,
      reconnectMs: 1000,
      seed: Date.now() % 2 ** 32,
    },
    (...progress) => {
      if (progress[1] < progress[2] && Date.now() - toldAtMs < TELL_EVERY_MS) return;
      toldAtMs = Date.now();
      tell({ progress });
    },
  );
  try {
    const report = await simulation.run();
    const { options: _, ...told } = report;
    tellLast({ passed: isPassed(report), report: told });
  } catch (error) {
    tellLast({ error: (error as Error).message });
  }
});

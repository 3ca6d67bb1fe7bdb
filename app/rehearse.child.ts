import { isPassed } from '../devices-sim/report.ts';
import { Simulation } from '../devices-sim/simulation.ts';
import type { RehearsalMessage, RehearsalTask } from './rehearse.ts';

/** The share of devices that vote simultaneously at the end. */
const BURST = 0.3;
/** The minimum interval in ms between progress reports. */
const REPORT_EVERY_MS = 200;

const report = (news: RehearsalMessage): void => void process.send?.(news);
/** Reports the outcome, then disconnects. */
const reportLast = (news: RehearsalMessage): void => void process.send?.(news, () => process.disconnect());

// The simulator must not outlive the process that requested the rehearsal.
process.on('disconnect', () => process.exit(1));
process.once('message', async ({ order, mqttUrl, httpUrl, token, limitMs }: RehearsalTask) => {
  let reportedAtMs = 0;
  const simulation = new Simulation(
    {
      mqttUrls: [mqttUrl],
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
      if (progress[1] < progress[2] && Date.now() - reportedAtMs < REPORT_EVERY_MS) return;
      reportedAtMs = Date.now();
      report({ progress });
    },
  );
  try {
    const outcome = await simulation.run();
    const { options: _, ...figures } = outcome;
    reportLast({ passed: isPassed(outcome), report: figures });
  } catch (error) {
    reportLast({ error: (error as Error).message });
  }
});

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Rehearse } from '../dashboards/rehearsals/rehearsals.ts';
import type { Report } from '../devices-sim/simulation.ts';

const CHILD = fileURLToPath(new URL('./rehearse.child.js', import.meta.url));
/** Extra time in ms that devices get after the period in which they vote. */
const SPARE_MS = 60_000;

/** The message that starts the simulator. */
export interface RehearsalTask {
  readonly order: Parameters<Rehearse>[0];
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly token: string;
  readonly limitMs: number;
}
/** A message from the simulator: progress, the outcome, or an error. */
export type RehearsalMessage =
  | { readonly progress: Parameters<Parameters<Rehearse>[1]> }
  /** The report omits the options, which contain the devices’ credentials. */
  | { readonly passed: boolean; readonly report: Omit<Report, 'options'> }
  | { readonly error: string };

/** Runs rehearsals in a child process, so that a thousand devices do not slow down the server process. */
export function rehearseAt(where: () => Omit<RehearsalTask, 'order' | 'limitMs'>): Rehearse {
  return (order, progress, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const task: RehearsalTask = { order, ...where(), limitMs: order.seconds * 1000 + SPARE_MS };
      // The child only connects to this process, at an address that the certificate need not name.
      const isSecure = task.httpUrl.startsWith('https:');
      const env = isSecure ? { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' } : process.env;
      const child = fork(CHILD, [], { stdio: 'ignore', serialization: 'advanced', env });
      let isSettled = false;
      const kill = () => child.kill('SIGKILL');
      const timer = setTimeout(kill, task.limitMs + SPARE_MS);
      signal.addEventListener('abort', kill, { once: true });
      const settle = (act: () => void) => {
        isSettled = true;
        act();
      };
      child.on('message', (news: RehearsalMessage) => {
        // A message that the child sent before it was killed may still arrive afterwards.
        if (isSettled) return;
        if ('progress' in news) progress(...news.progress);
        else if ('error' in news) settle(() => reject(new Error(news.error)));
        else settle(() => resolve({ passed: news.passed, ...news.report }));
      });
      child.on('error', (error) => settle(() => reject(error)));
      child.on('exit', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', kill);
        settle(() => reject(new Error('the simulator exited without a report')));
      });
      child.send(task);
    });
}

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Rehearse } from '../dashboards/rehearsals.ts';
import type { Report } from '../devices-sim/simulation.ts';

const CHILD = fileURLToPath(new URL('./rehearse.child.js', import.meta.url));
/** How long the devices may take beside the time that they spread over, ms. */
const SPARE_MS = 60_000;

/** What the simulator is told, and what it tells. */
export interface RehearsalTask {
  readonly order: Parameters<Rehearse>[0];
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly token: string;
  readonly limitMs: number;
}
export type RehearsalNews =
  | { readonly progress: Parameters<Parameters<Rehearse>[1]> }
  /** Without the options: they hold what devices sign in with. */
  | { readonly passed: boolean; readonly report: Omit<Report, 'options'> }
  | { readonly error: string };

/** Rehearses in a process of its own: a thousand devices must not keep this one from its work. */
export function rehearseAt(where: () => Omit<RehearsalTask, 'order' | 'limitMs'>): Rehearse {
  return (order, progress, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const child = fork(CHILD, [], { stdio: 'ignore', serialization: 'advanced' });
      let isSettled = false;
      const end = () => child.kill('SIGKILL');
      const limitMs = order.seconds * 1000 + SPARE_MS;
      const timer = setTimeout(end, limitMs + SPARE_MS);
      signal.addEventListener('abort', end, { once: true });
      const settle = (act: () => void) => {
        isSettled = true;
        act();
      };
      child.on('message', (news: RehearsalNews) => {
        // What was on its way when the child was ended comes after its end.
        if (isSettled) return;
        if ('progress' in news) progress(...news.progress);
        else if ('error' in news) settle(() => reject(new Error(news.error)));
        else settle(() => resolve({ passed: news.passed, ...news.report }));
      });
      child.on('error', (error) => settle(() => reject(error)));
      child.on('exit', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        settle(() => reject(new Error('the simulator ended without a report')));
      });
      child.send({ order, ...where(), limitMs } satisfies RehearsalTask);
    });
}

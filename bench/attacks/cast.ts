import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { onLeaving } from '../processes/leaving.ts';
import { cpuMsOf } from '../processes/usage.ts';
import type { Witnessed } from './witness.child.ts';

/** A child process of the benchmark, which ends with it. */
class Player {
  protected readonly child: ChildProcess;
  private readonly done: () => void;

  constructor(file: string, args: readonly (string | number)[]) {
    this.child = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String));
    this.done = onLeaving(() => this.child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const closed = once(this.child, 'close');
      this.child.kill('SIGKILL');
      await closed;
    }
    this.done();
  }
}

/** A process that takes processor time: an attacker, or one that attacks nobody. */
export class Burden extends Player {
  private cpuMs = 0;
  private sinceMs = performance.now();

  /** @param nice lowers its priority, from 0 to 19 */
  constructor(file: './attacker.child.js' | './burner.child.js', args: readonly (string | number)[], nice = 0) {
    super(file, args);
    if (nice > 0) setPriority(this.pid, nice);
  }

  /** The share of one core that it has taken since the last call. */
  share(): number {
    const [cpuMs, nowMs] = [cpuMsOf([this.pid]), performance.now()];
    const share = (cpuMs - this.cpuMs) / (nowMs - this.sinceMs);
    this.cpuMs = cpuMs;
    this.sinceMs = nowMs;
    return share;
  }
}

/** The good devices and the operator. */
export class Witness extends Player {
  constructor(mqttPort: number, httpPort: number, token: string) {
    super('./witness.child.js', [mqttPort, httpPort, token]);
  }

  /** What was measured since the last call. @throws Error if the process has ended */
  async told(): Promise<Witnessed> {
    if (!this.child.connected) throw new Error('the process of the good devices has ended');
    const answer = once(this.child, 'message');
    this.child.send('tell');
    const [witnessed] = (await answer) as [Witnessed];
    return witnessed;
  }
}

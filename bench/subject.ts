import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onLeaving } from './processes/leaving.ts';
import { cpuMsOf, memoryOf } from './processes/usage.ts';

/** How much of a program’s output is kept, in characters. */
const MOST_OUTPUT = 2_000;

/** A program under test in a separate process, so that it does not share an event loop with the load. */
export class Subject {
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown>;
  /** The end of what it has printed. */
  private lastOutput = '';

  private constructor(child: ChildProcess, closed: Promise<unknown>) {
    this.child = child;
    this.closed = closed;
  }

  /**
   * Starts a program and waits until it prints a line that contains `marker`.
   *
   * @throws Error with what it printed, if it ends before that
   */
  static async start(command: string, args: readonly string[], marker: string): Promise<Subject> {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const subject = new Subject(child, new Promise((resolve) => child.once('close', resolve)));
    child.once(
      'close',
      onLeaving(() => child.kill('SIGKILL')),
    );
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          subject.lastOutput = `${subject.lastOutput}\n${line}`.slice(-MOST_OUTPUT);
          if (line.includes(marker)) resolve();
        });
      }
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`${command} ${args[0]} exited with ${code}:${subject.output}`)));
    });
    return subject;
  }

  /** The last 2,000 characters of what it has printed. */
  get output(): string {
    return this.lastOutput;
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** CPU time (ms) that it and its child processes have used so far. */
  get cpuMs(): number {
    return cpuMsOf([this.pid]);
  }

  /** Resident memory (MiB), with that of its child processes. */
  get memory(): number {
    return memoryOf([this.pid]);
  }

  /** @param signal SIGTERM lets the program finish what it is doing */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.closed;
  }
}

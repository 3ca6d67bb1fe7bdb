import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onLeaving } from './processes/leaving.ts';
import { cpuUsOf, memoryOf } from './processes/usage.ts';

/** A program under test in a separate process, so that it does not share an event loop with the load. */
export class Subject {
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown>;

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
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.once(
      'close',
      onLeaving(() => child.kill('SIGKILL')),
    );
    let output = '';
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          output = `${output}\n${line}`.slice(-2_000);
          if (line.includes(marker)) resolve();
        });
      }
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`${command} ${args[0]} exited with ${code}:${output}`)));
    });
    return new Subject(child, closed);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** CPU time (µs) that it and its child processes have used so far. */
  get cpuUs(): number {
    return cpuUsOf([this.pid]);
  }

  /** Resident memory (MiB), with that of its child processes. */
  get memory(): number {
    return memoryOf([this.pid]);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A program under test in a separate process, so that it does not share an event loop with the load. */
export class Subject {
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  /** Starts a program and waits until it prints a line that contains `marker`. */
  static async start(command: string, args: readonly string[], marker: string): Promise<Subject> {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => line.includes(marker) && resolve());
      }
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`${command} ${args[0]} exited with ${code}`)));
    });
    return new Subject(child);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Resident memory (MiB). */
  get memory(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Compiles the program of the viewers, which is written in C. @returns its path */
export function compileViewers(directory: string): string {
  const program = join(directory, 'viewers');
  const source = fileURLToPath(new URL('../../../bench/viewers/viewers.c', import.meta.url));
  const { status } = spawnSync('cc', ['-O2', '-o', program, source], { stdio: 'inherit' });
  if (status !== 0) throw new Error('bench:streams needs a C compiler, `cc`, for its viewers');
  return program;
}

/** Viewers in a process of their own. */
export class Viewers {
  private readonly child: ChildProcess;
  private readonly lines: Interface;

  constructor(program: string, port: number, path: string, count: number, headers: readonly string[]) {
    const args = [String(port), path, String(count), ...headers];
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface(this.child.stdout as NodeJS.ReadableStream);
  }

  /** Waits until all are connected. @returns how long that took, in ms */
  async connected(): Promise<number> {
    return Number((await this.line()).split(' ')[1]);
  }

  async totals(): Promise<{ events: number; bytes: number; cpuUs: number }> {
    const line = this.line();
    this.child.stdin?.write('\n');
    const [, events, , bytes, , cpuUs] = (await line).split(' ').map(Number);
    return { events: events as number, bytes: bytes as number, cpuUs: cpuUs as number };
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.kill();
    await closed;
  }

  private async line(): Promise<string> {
    const failed = once(this.child, 'close').then(() => Promise.reject(new Error('the viewers ended')));
    const [line] = await Promise.race([once(this.lines, 'line'), failed]);
    return line;
  }
}

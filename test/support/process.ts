import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onOwnPorts } from './ports.ts';
import './reaper.ts';
import { pathInCheckout } from './root.ts';

const POLLCAST = pathInCheckout('build/cli/pollcast.js');
const START_LIMIT_MS = 90_000;
/** Time limit in ms for a process to end after a signal. It should stop within 10 s. */
const END_LIMIT_MS = 30_000;
/** The maximum number of characters of a process's output that are kept. */
const MAX_OUTPUT = 200_000;

/** The outcome of a command. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `pollcast` until it exits. */
export async function pollcast(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Outcome> {
  const child = spawn(process.execPath, [POLLCAST, ...args], { env: environment(env), cwd });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/** Options for a server process. By default, it runs `pollcast up` with default settings. */
export interface ServerOptions {
  /** The command: up, broker, processor or dashboard. */
  readonly command?: string;
  /** Settings by environment variable. */
  readonly env?: Record<string, string>;
  /** The limit of open files; by default, that of the tests. */
  readonly descriptors?: number;
}

/** A `pollcast` process that can be killed and started again on the same ports and data. */
export class Server {
  readonly token = 'operator-token-of-tests';
  readonly directory: string;
  private readonly options: ServerOptions;
  private ports: readonly number[] = [];
  private child: ChildProcess | undefined;
  /** The output since the last start. */
  output = '';

  /** The server is not started, and has no ports, until `start` is called. */
  constructor(directory: string, options: ServerOptions = {}) {
    this.directory = directory;
    this.options = options;
  }

  get mqttPort(): number {
    return this.ports[0] ?? 0;
  }

  get httpPort(): number {
    return this.ports[1] ?? 0;
  }

  get http(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get mqtt(): string {
    return `mqtt://127.0.0.1:${this.mqttPort}`;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts the server and resolves once it reports that it is running. */
  async start(...args: string[]): Promise<void> {
    if (this.ports.length > 0) return this.startOn(this.ports, args);
    // The third port is for a second worker, whose HTTP port is one above the first worker's.
    await onOwnPorts(3, (...ports) => this.startOn(ports, args));
  }

  private async startOn(ports: readonly number[], args: readonly string[]): Promise<void> {
    this.ports = ports;
    const { command = 'up', env = {}, descriptors } = this.options;
    const where = ['--mqtt-port', String(this.mqttPort), '--http-port', String(this.httpPort)];
    const all = [POLLCAST, command, ...where, '--data-dir', this.directory, '--operator-token', this.token, ...args];
    const limited = ['-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, process.execPath, ...all];
    const [program, given] = descriptors === undefined ? [process.execPath, all] : ['sh', limited];
    const child = spawn(program, given, { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.output = '';
    const running = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`did not start: ${this.output}`)), START_LIMIT_MS);
      child.once('close', () => {
        clearTimeout(timer);
        reject(new Error(`ended: ${this.output}`));
      });
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream as NodeJS.ReadableStream).on('line', (line) => {
          this.output = `${this.output}${line}\n`.slice(-MAX_OUTPUT);
          if (!line.includes('"msg":"running"')) return;
          clearTimeout(timer);
          resolve();
        });
      }
    });
    await running;
  }

  /** Freezes or resumes the process. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }

  /** kill -9: no handler runs, nothing is flushed. */
  kill(): Promise<number | null> {
    return this.end('SIGKILL');
  }

  /** Asks the server to stop; resolves with its exit code. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const closed = once(child, 'close');
    child.kill(signal);
    let isStuck = false;
    const timer = setTimeout(() => {
      isStuck = true;
      child.kill('SIGKILL');
    }, END_LIMIT_MS);
    const [code] = await closed;
    clearTimeout(timer);
    if (isStuck) throw new Error(`did not end within ${END_LIMIT_MS} ms of ${signal}: ${this.output}`);
    return code;
  }
}

/** The environment of this process without settings that would leak into the child, plus `more`. */
function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('POLLCAST_') && !name.startsWith('TAP'));
  return { ...Object.fromEntries(kept), ...more };
}

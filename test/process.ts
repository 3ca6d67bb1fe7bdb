import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const POLLCAST = fileURLToPath(new URL('../cli/pollcast.js', import.meta.url));
const START_LIMIT_MS = 90_000;
/** Characters kept of what a process prints. */
const MAX_OUTPUT = 200_000;

/** What a command did. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `pollcast` to its end. */
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

/** What a server process is, when it is not `pollcast up` on its own data. */
export interface ServerOptions {
  /** Which command: up, broker, processor, dashboard. */
  readonly command?: string;
  /** Settings by environment variable. */
  readonly env?: Record<string, string>;
}

/** A `pollcast` process, that can be killed and started again on the same ports and data. */
export class Server {
  readonly token = 'operator-token-of-tests';
  readonly directory: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  private readonly options: ServerOptions;
  private child: ChildProcess | undefined;
  /** What it printed, since the last start. */
  output = '';

  private constructor(directory: string, mqttPort: number, httpPort: number, options: ServerOptions) {
    this.directory = directory;
    this.mqttPort = mqttPort;
    this.httpPort = httpPort;
    this.options = options;
  }

  /** A server on free ports, not started. */
  static async on(directory: string, options: ServerOptions = {}): Promise<Server> {
    return new Server(directory, await freePort(), await freePort(), options);
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

  /** Starts it and resolves once it says that it runs. */
  async start(...args: string[]): Promise<void> {
    const { command = 'up', env = {} } = this.options;
    const ports = ['--mqtt-port', String(this.mqttPort), '--http-port', String(this.httpPort)];
    const all = [POLLCAST, command, ...ports, '--data-dir', this.directory, '--operator-token', this.token, ...args];
    const child = spawn(process.execPath, all, { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.output = '';
    const running = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`did not start: ${this.output}`)), START_LIMIT_MS);
      child.once('close', () => reject(new Error(`ended: ${this.output}`)));
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

  /** Stops it in its tracks, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }

  /** kill -9: no handler runs, nothing is flushed. */
  kill(): Promise<number | null> {
    return this.end('SIGKILL');
  }

  /** Asks it to stop; resolves with its exit code. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const closed = once(child, 'close');
    child.kill(signal);
    const [code] = await closed;
    return code;
  }
}

/**
 * A free port below those the system hands out by itself: a server that is down while its clients keep trying must not
 * find its port taken, by another test or by a client that connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

/** True when nobody listens on a port of the loopback. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const couldListen = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!couldListen) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** This environment without settings that would leak into the test. */
function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('POLLCAST_') && !name.startsWith('TAP'));
  return { ...Object.fromEntries(kept), ...more };
}

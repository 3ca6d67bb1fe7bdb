import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onLeaving } from '../processes/leaving.ts';

/** The generator’s sources, seen from the build folder. */
const SOURCES = fileURLToPath(new URL('../../../bench/generator', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./generator', import.meta.url));
/** Every g++ package brings one of these. */
const COMPILERS = ['cc', 'gcc', 'clang'];

/** What one phase of load came to. Times in ms, CPU in µs. */
export interface PhaseReport {
  readonly acknowledged: number;
  /** Acknowledged votes per second, while votes were being sent. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** What a vote cost the generator. */
  readonly cpuUs: number;
}

/** How the connections were made. */
export interface ConnectReport {
  readonly connections: number;
  readonly seconds: number;
  readonly perSecond: number;
}

export interface GeneratorOptions {
  readonly port: number;
  readonly connections: number;
  /** The protocol level of MQTT; by default 4, which is 3.1.1. */
  readonly version?: 4 | 5 | undefined;
  /** By default 1. */
  readonly qos?: 1 | 2 | undefined;
  /** How many connections are being made at a time; by default 64. */
  readonly connecting?: number;
  /** What is voted for, in turn; all of the same length; by default a, b and c. */
  readonly payloads?: readonly string[];
  /** A file with a line for each device: client id, user name and secret, separated by tabs; by default `bench-<i>`, no user. */
  readonly devices?: string;
}

/**
 * Compiles the generator unless that has been done.
 *
 * @throws Error if there is no C compiler
 */
export function compileGenerator(): string {
  const sources = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const newest = Math.max(...sources.map((name) => statSync(join(SOURCES, name)).mtimeMs));
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > newest) return PROGRAM;
  const compiler = COMPILERS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (!compiler) {
    throw new Error(
      `there is no C compiler (${COMPILERS.join(', ')}); on Debian or Ubuntu, run: sudo apt-get install g++`,
    );
  }
  mkdirSync(dirname(PROGRAM), { recursive: true });
  // Renamed once it is complete, because another process may be compiling it, too.
  const draft = `${PROGRAM}.${process.pid}`;
  const args = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-o', draft, join(SOURCES, 'generator.c')];
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${compiler} could not compile the generator:\n${stderr}`);
  renameSync(draft, PROGRAM);
  return PROGRAM;
}

interface Process {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  /** Resolves once the process has ended and its output is complete. */
  readonly closed: Promise<unknown>;
  readonly problems: () => string;
}

/** Where votes go: one topic, or with a count, the topics `<topic>0`, `<topic>1`, …, to one of which a connection votes. */
export interface Topics {
  readonly topic: string;
  readonly count?: number;
}

/** The load could not be carried through: the server refused it, closed a connection, or did not answer. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/** A running load generator: a C program, because one in Node.js costs as much per vote as a broker. */
export class Generator {
  readonly connected: ConnectReport;
  private readonly process: Process;

  private constructor(process: Process, connected: ConnectReport) {
    this.process = process;
    this.connected = connected;
  }

  /** Starts a generator and makes its connections. @throws LoadError if the server refuses one */
  static async connect(options: GeneratorOptions): Promise<Generator> {
    const { payloads, ...others } = options;
    const args = Object.entries({ ...others, payloads: payloads?.join(',') }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    );
    const child = spawn(compileGenerator(), args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.once(
      'close',
      onLeaving(() => child.kill('SIGKILL')),
    );
    let problems = '';
    child.stderr.on('data', (chunk) => (problems += chunk));
    // A generator that has failed no longer reads; the end of its output says why.
    child.stdin.on('error', () => {});
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const process = { child, lines, closed: once(child, 'close'), problems: () => problems };
    return new Generator(process, await next<ConnectReport>(process));
  }

  /** Keeps up to `window` votes in flight on every connection for `seconds`, and waits for all acknowledgements. */
  saturate(topics: Topics, window: number, seconds: number): Promise<PhaseReport> {
    return this.phase(topics, `saturate ${window} ${seconds}`);
  }

  /** Sends one vote on every connection, as fast as possible. */
  once(topics: Topics): Promise<PhaseReport> {
    return this.phase(topics, 'once');
  }

  /** Sends `rate` votes per second for `seconds`. Latencies count from the time at which a vote was due. */
  pace(topics: Topics, rate: number, seconds: number): Promise<PhaseReport> {
    return this.phase(topics, `pace ${rate} ${seconds}`);
  }

  async stop(): Promise<void> {
    this.process.child.kill('SIGKILL');
    await this.process.closed;
  }

  private phase({ topic, count }: Topics, command: string): Promise<PhaseReport> {
    this.process.child.stdin?.write(`topics ${topic} ${count ?? ''}\n${command}\n`);
    return next<PhaseReport>(this.process);
  }
}

/** The next line of the generator’s output. @throws LoadError with its message if it has failed */
async function next<T>({ lines, closed, problems }: Process): Promise<T> {
  const { value, done } = await lines.next();
  if (!done) return JSON.parse(value) as T;
  await closed;
  throw new LoadError(problems().trim());
}

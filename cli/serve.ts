import { type Config, ConfigError, readConfig } from '../core/runtime/config.ts';
import { createLog } from '../core/runtime/log.ts';
import type { SettingName } from '../core/runtime/settings.ts';
import { isCommitFailure } from '../core/store/embedded/written.ts';
import { StoreError } from '../core/store/error.ts';
import { createDemo } from './demo.ts';
import { EXIT } from './exit.ts';
import { type Pollcast, type Role, start } from './up.ts';
import { welcome } from './welcome.ts';
import { place, superviseWorkers } from './workers.ts';

const NEEDS_REDIS =
  'POLLCAST_REDIS_URL: a process that does a part of the work needs a Redis to share with the others; `pollcast up` does without';
const NEEDS_PORTS =
  'POLLCAST_HTTP_PORT: several workers count up from it, each has its own; expected one with room above it';

export type Flags = Partial<Record<SettingName, string>> & { readonly demo?: boolean };

/** Runs a role until it is told to stop. */
export async function serve(role: Role, { demo, ...flags }: Flags): Promise<void> {
  const worker = place();
  const config = configOrExit(role, flags);
  const log = createLog(config.logLevel);
  if (role === 'broker' && config.workers > 1 && worker === undefined) {
    process.exit((await superviseWorkers(config.workers, log)) ? 0 : EXIT.failed);
  }
  const httpPort = config.httpPort === 0 ? 0 : config.httpPort + (worker ?? 0);
  let isStopping = false;
  let running: Pollcast | undefined;
  const stop = async (why: string, exitCode: number) => {
    // A second signal does not wait; a worker gets one from its terminal and one from its supervisor.
    if (isStopping && worker !== undefined) return;
    if (isStopping) process.exit(EXIT.failed);
    isStopping = true;
    log.info({ why }, 'stopping');
    const isClean = (await running?.stop()) ?? true;
    log.info({ isClean }, 'stopped');
    process.exit(isClean ? exitCode : EXIT.failed);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal, 0));
  process.on('unhandledRejection', (error) => {
    // Aedes does not wait for all it writes to its sessions, nor lmdb for promises of its own: a full disk must be
    // survived. No vote is acknowledged meanwhile, and whoever waits for a write is told.
    if (error instanceof StoreError || isCommitFailure(error)) log.error({ err: error }, 'a write failed');
    else throw error;
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a defect: please report it');
    void stop('uncaughtException', EXIT.failed);
  });
  try {
    running = await start(role, { ...config, httpPort }, log);
    if (demo) await createDemo(running);
  } catch (error) {
    process.stderr.write(`pollcast: could not start: ${explain(error as NodeJS.ErrnoException)}\n`);
    await running?.stop();
    process.exit(EXIT.failed);
  }
  if (role === 'all') process.stdout.write(welcome(running, config));
  if (role === 'dashboard' && config.operatorToken === '') {
    process.stdout.write(`  Operator token  ${running.token}\n`);
  }
  log.info({ role, mqtt: running.mqttPort, http: running.httpPort, door: config.door }, 'running');
}

function configOrExit(role: Role, flags: Flags): Config {
  try {
    const config = readConfig(flags, process.env);
    if (role !== 'all' && config.redisUrl === '') throw new ConfigError([NEEDS_REDIS]);
    if (config.workers > 1 && (config.httpPort === 0 || config.httpPort + config.workers > 65_536)) {
      throw new ConfigError([NEEDS_PORTS]);
    }
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`pollcast: the configuration has ${error.problems.length} problem(s):\n`);
    for (const problem of error.problems) process.stderr.write(`  ${problem}\n`);
    process.exit(EXIT.misconfigured);
  }
}

function explain(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const where = `${error.address}:${error.port}`;
  if (error.code === 'EADDRINUSE') {
    return `another program listens on ${where}; stop it, or choose another port with POLLCAST_MQTT_PORT or POLLCAST_HTTP_PORT`;
  }
  if (error.code === 'EACCES' && error.port)
    return `not allowed to listen on ${where}; ports below 1024 need more rights`;
  if (error.code === 'EADDRNOTAVAIL') return `this machine has no address ${error.address}; check POLLCAST_HOST`;
  return error.message;
}

#!/usr/bin/env node
import { Command } from 'commander';
import { ConfigError, readConfig } from '../core/runtime/config.ts';
import { createLog } from '../core/runtime/log.ts';
import { flagOf, type SettingName, settings } from '../core/runtime/settings.ts';
import { isCommitFailure } from '../core/store/embedded/written.ts';
import { StoreError } from '../core/store/error.ts';
import { createDemo } from './demo.ts';
import { addSim } from './sim.ts';
import { startAll } from './up.ts';
import { welcome } from './welcome.ts';

/** Exit codes: 1 it failed, 2 it was told to do something that makes no sense. */
const EXIT = { failed: 1, misconfigured: 2 } as const;

const program = new Command('pollcast').description(
  'Live voting over MQTT: votes in over MQTT, results out over SSE, every acknowledged vote counted exactly once.',
);
// Before the commands are added: they inherit it.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.misconfigured));
const up = program
  .command('up')
  .description('Run everything in one process')
  .option('--demo', 'create and open a poll to try things on, if there are no polls yet');
for (const { variable, fallback, about } of Object.values(settings)) {
  up.option(`${flagOf(variable)} <value>`, `${about} (${variable}${fallback === '' ? '' : `, default ${fallback}`})`);
}
up.action((flags: Partial<Record<SettingName, string>> & { demo?: boolean }) => run(flags));
addSim(program);
await program.parseAsync();

async function run({ demo, ...flags }: Partial<Record<SettingName, string>> & { demo?: boolean }): Promise<void> {
  const config = configOrExit(flags);
  const log = createLog(config.logLevel);
  let isStopping = false;
  let running: Awaited<ReturnType<typeof startAll>> | undefined;
  const stop = async (why: string, exitCode: number) => {
    // A second signal does not wait.
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
    running = await startAll(config, log);
    if (demo) await createDemo(running);
  } catch (error) {
    process.stderr.write(`pollcast: could not start: ${explain(error as NodeJS.ErrnoException)}\n`);
    await running?.stop();
    process.exit(EXIT.failed);
  }
  process.stdout.write(welcome(running, config));
  log.info({ mqtt: running.mqttPort, http: running.httpPort, door: config.door }, 'running');
}

function configOrExit(flags: Partial<Record<SettingName, string>>) {
  try {
    return readConfig(flags, process.env);
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

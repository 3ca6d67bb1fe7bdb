import { createDemo } from '../app/demo.ts';
import type { Role } from '../app/foundation.ts';
import { type Pollcast, start } from '../app/pollcast.ts';
import { superviseWorkers, workerIndex } from '../app/workers.ts';
import { type Config, ConfigError, readConfig } from '../core/config/config.ts';
import type { SettingName } from '../core/config/settings.ts';
import { TlsError } from '../core/process/tls/material.ts';
import { inUrl, isLoopback } from '../core/runtime/host.ts';
import { createLog } from '../core/runtime/log.ts';
import { isWriteFailure } from '../core/store/error.ts';
import { EXIT } from './exit.ts';
import { welcome } from './welcome.ts';

const NEEDS_REDIS =
  'POLLCAST_REDIS_URL: required for a process with a single role, which shares a Redis with the others; `pollcast up` does not need one';
const NEEDS_PORTS =
  'each worker has its own port, counting up from this one; expected a port other than 0 with enough ports above it';

export type Flags = Partial<Record<SettingName, string>> & { readonly demo?: boolean };

/** Runs a role until a signal stops it. */
export async function serve(role: Role, { demo, ...flags }: Flags): Promise<void> {
  const worker = workerIndex();
  const config = configOrExit(role, flags);
  const log = createLog(config.logLevel, role);
  if (role === 'broker' && config.workers > 1 && worker === undefined) {
    // Without TLS, nothing is read again, and SIGHUP ends a process as usual.
    const passedOn = config.tlsCert === '' ? [] : (['SIGHUP'] as const);
    process.exit((await superviseWorkers(config.workers, log, passedOn)) ? 0 : EXIT.failed);
  }
  const httpPort = config.httpPort && config.httpPort + (worker ?? 0);
  const opsPort = config.opsPort && config.opsPort + (worker ?? 0);
  let isStopping = false;
  let running: Pollcast | undefined;
  const stop = async (why: string, exitCode: number) => {
    // A second signal exits immediately. A worker ignores it, because both the terminal and the supervisor send it a signal.
    if (isStopping && worker !== undefined) return;
    if (isStopping) return leave(EXIT.failed, false);
    isStopping = true;
    log.info({ why }, 'stopping');
    const isClean = (await running?.stop()) ?? true;
    log.info({ isClean }, 'stopped');
    leave(isClean ? exitCode : EXIT.failed, isClean);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal, 0));
  process.on('unhandledRejection', (error) => {
    // Aedes does not await all writes to its sessions, nor does lmdb await all of its promises. A full disk must not end the
    // process: until there is space again, no votes are acknowledged, and every awaited write reports its failure.
    if (isWriteFailure(error)) log.error({ err: error }, 'a write failed');
    else throw error;
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception; this is a bug, please report it');
    void stop('uncaughtException', EXIT.failed);
  });
  try {
    running = await start(role, { ...config, httpPort, opsPort }, log, (why) => {
      log.fatal({ why }, 'this process cannot go on');
      void stop(why, EXIT.failed);
    });
    if (demo) await createDemo(running);
  } catch (error) {
    process.stderr.write(`pollcast: could not start: ${explain(error as NodeJS.ErrnoException)}\n`);
    const isClean = (await running?.stop()) ?? true;
    const isOurs = error instanceof TlsError || error instanceof ConfigError;
    leave(isOurs ? EXIT.misconfigured : EXIT.failed, isClean);
    return;
  }
  if (role === 'all') process.stdout.write(welcome(running, config));
  if (role === 'dashboard' && config.operatorToken === '') {
    process.stdout.write(`  Operator token  ${running.token}\n`);
  }
  const { mqttPort: mqtt, mqttsPort: mqtts, httpPort: http } = running;
  if (mqtts > 0 && mqtt > 0 && !isLoopback(config.host)) {
    log.warn({ port: mqtt }, 'devices may still connect without TLS; POLLCAST_MQTT_PORT=off closes that port');
  }
  const ports = {
    ...{ mqtt, http },
    ...(mqtts > 0 ? { mqtts } : {}),
    ...(opsPort === undefined ? {} : { ops: running.opsPort }),
  };
  log.info({ ...ports, door: config.door }, 'running');
}

function configOrExit(role: Role, flags: Flags): Config {
  try {
    const config = readConfig(flags, process.env);
    if (role !== 'all' && config.redisUrl === '') throw new ConfigError([NEEDS_REDIS]);
    const hasRoom = (port: number) => config.workers === 1 || (port !== 0 && port + config.workers <= 65_536);
    if (!hasRoom(config.httpPort)) throw new ConfigError([`POLLCAST_HTTP_PORT: ${NEEDS_PORTS}`]);
    if (config.opsPort !== undefined && !hasRoom(config.opsPort))
      throw new ConfigError([`POLLCAST_OPS_PORT: ${NEEDS_PORTS}`]);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`pollcast: configuration errors:\n`);
    for (const problem of error.problems) process.stderr.write(`  ${problem}\n`);
    process.exit(EXIT.misconfigured);
  }
}

function explain(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const where = `${inUrl(error.address ?? '')}:${error.port}`;
  if (error instanceof TlsError) return error.message.replaceAll('\n', '\n  ');
  if (error.code === 'EADDRINUSE') {
    return `another program is already listening on ${where}; stop it, or choose another port with POLLCAST_MQTT_PORT, POLLCAST_MQTTS_PORT, POLLCAST_HTTP_PORT or POLLCAST_OPS_PORT`;
  }
  if (error.code === 'EACCES' && error.port)
    return `not allowed to listen on ${where}; ports below 1024 require root privileges`;
  if (error.code === 'EADDRNOTAVAIL')
    return `this machine has no address ${error.address}; check POLLCAST_HOST and POLLCAST_OPS_HOST`;
  return error.message;
}

/**
 * Ends this process. After an unclean stop, a transaction of lmdb may be waiting for this thread, and `process.exit` would wait for
 * it, for ever.
 */
function leave(exitCode: number, isClean: boolean): void {
  if (isClean) process.exit(exitCode);
  process.kill(process.pid, 'SIGKILL');
}

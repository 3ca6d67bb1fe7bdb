import { hostname } from 'node:os';
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/**
 * A structured log on standard error: JSON lines, or readable text on a terminal. Each line has its level as a word, the time in
 * UTC, and which process on which machine wrote it.
 *
 * @param role what the process does, such as `broker`
 */
export function createLog(level: string, role = 'all'): Log {
  const options = {
    level,
    base: { host: hostname(), pid: process.pid, role },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  // On a terminal, it is plain which process writes.
  const shown = { translateTime: 'HH:MM:ss', ignore: 'host,pid,role' };
  return pino(options, pretty({ destination: 2, sync: true, ...shown }));
}

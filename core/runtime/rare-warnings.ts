import type { Log } from './log.ts';

/** Interval in ms between two warnings for one reason. */
const WARN_EVERY_MS = 60_000;

/** Warns once per reason and minute of what thousands of clients may cause at once. */
export class RareWarnings {
  private readonly log: Log;
  private readonly given = new Map<string, { readonly atMs: number; more: number }>();

  constructor(log: Log) {
    this.log = log;
  }

  /** @param reason one out of few, because each is remembered */
  warn(reason: string, facts: object, message: string): void {
    const nowMs = performance.now();
    const last = this.given.get(reason);
    if (last && nowMs - last.atMs < WARN_EVERY_MS) {
      last.more++;
      return;
    }
    this.given.set(reason, { atMs: nowMs, more: 0 });
    this.log.warn(
      { ...facts, moreSinceLastWarning: last?.more ?? 0 },
      `${message}; further warnings for this reason are left out for a minute`,
    );
  }
}

import type { Log } from './log.ts';

/** Something that runs: it does nothing until `start`, and `stop` drains it. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How long everything together may take to stop before the rest is left to the operating system. */
export const STOP_LIMIT_MS = 9_000;

/**
 * Starts services in order and stops them in reverse. When one fails to start, those before it are stopped
 * again and the error is passed on.
 */
export class Lifecycle {
  private readonly services: readonly Service[];
  private readonly log: Log;
  private running: Service[] = [];
  private stopping: Promise<boolean> | undefined;

  constructor(services: readonly Service[], log: Log) {
    this.services = services;
    this.log = log;
  }

  async start(): Promise<void> {
    try {
      for (const service of this.services) {
        this.running.push(service);
        await service.start();
        this.log.debug({ service: service.name }, 'started');
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops what runs. Resolves false when something failed or `STOP_LIMIT_MS` passed. Safe to call twice. */
  stop(): Promise<boolean> {
    this.stopping ??= within(STOP_LIMIT_MS, this.stopAll());
    return this.stopping;
  }

  private async stopAll(): Promise<boolean> {
    let clean = true;
    for (let service = this.running.pop(); service; service = this.running.pop()) {
      try {
        await service.stop();
        this.log.debug({ service: service.name }, 'stopped');
      } catch (error) {
        clean = false;
        this.log.error({ err: error, service: service.name }, 'did not stop cleanly');
      }
    }
    return clean;
  }
}

async function within(limitMs: number, work: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

import type { DeviceStatus } from '../core/devices/device.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Registry } from '../core/store/store.ts';

/** The largest status payload, bytes. */
const MAX_STATUS_BYTES = 1024;
/** How often collected statuses are written, ms; of several by one device the last is kept. */
const WRITE_EVERY_MS = 2_000;
/** Statuses waiting to be written; beyond that, new devices' statuses are dropped until the next write. */
const MAX_WAITING = 20_000;

/** Keeps the last status of each device (battery, signal, will). A convenience: never part of a count. */
export class Statuses {
  private readonly registry: Registry;
  private readonly log: Log;
  private waiting = new Map<string, DeviceStatus>();
  private timer: NodeJS.Timeout | undefined;

  constructor(registry: Registry, log: Log) {
    this.registry = registry;
    this.log = log;
  }

  start(): void {
    this.timer = setInterval(() => void this.write(), WRITE_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.write();
  }

  /** Takes a status payload. False when it is not a JSON object of a sensible size. */
  receive(device: string, payload: Buffer): boolean {
    if (payload.length > MAX_STATUS_BYTES) return false;
    try {
      const status: unknown = JSON.parse(payload.toString('utf8'));
      if (typeof status !== 'object' || status === null || Array.isArray(status)) return false;
      if (this.waiting.size < MAX_WAITING || this.waiting.has(device)) {
        this.waiting.set(device, { status, atMs: Date.now() });
      }
      return true;
    } catch {
      return false;
    }
  }

  private async write(): Promise<void> {
    const waiting = this.waiting;
    this.waiting = new Map();
    try {
      await Promise.all([...waiting].map(([device, status]) => this.registry.put('statuses', device, status)));
    } catch (error) {
      this.log.warn({ err: error, devices: waiting.size }, 'device statuses could not be written; dropped');
    }
  }
}

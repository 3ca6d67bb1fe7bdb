import type { DeviceStatus } from '../../core/devices/device.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Registry } from '../../core/store/store.ts';
import { every } from '../../core/waiting/pause.ts';
import { trimmed } from './payload.ts';

/** The maximum size of a status payload, in bytes. */
const MAX_STATUS_BYTES = 1024;
/** Interval in ms between writes of the latest statuses. */
const WRITE_EVERY_MS = 2_000;
/** Maximum number of devices whose status is stored; limited because anybody can invent devices if the door is open. */
const MAX_KEPT = 20_000;
/** The number of statuses written concurrently. */
const WRITE_TOGETHER = 256;

/** Stores the latest status of each device, such as its battery and signal. Statuses never affect a count. */
export class DeviceStatuses {
  private readonly registry: Registry;
  private readonly log: Log;
  private waiting = new Map<string, DeviceStatus>();
  /** When devices without a waiting status last connected or disconnected. */
  private lastSeen = new Map<string, number>();
  private readonly kept: Set<string>;
  private readonly halt = new AbortController();

  private constructor(registry: Registry, kept: Set<string>, log: Log) {
    this.registry = registry;
    this.kept = kept;
    this.log = log;
  }

  static async open(registry: Registry, log: Log): Promise<DeviceStatuses> {
    const kept = new Set((await registry.list('statuses')).map(({ id }) => id));
    const statuses = new DeviceStatuses(registry, kept, log);
    every(WRITE_EVERY_MS, statuses.halt.signal, () => void statuses.write());
    return statuses;
  }

  async close(): Promise<void> {
    this.halt.abort();
    await this.write();
  }

  /** Receives a status payload. Returns false if the payload is not a JSON object or is too large. */
  receive(device: string, payload: Buffer): boolean {
    if (payload.length > MAX_STATUS_BYTES) return false;
    try {
      const status: unknown = JSON.parse(trimmed(payload.toString('utf8')));
      if (typeof status !== 'object' || status === null || Array.isArray(status)) return false;
      if (this.kept.size < MAX_KEPT) this.kept.add(device);
      if (this.kept.has(device)) {
        const nowMs = Date.now();
        this.waiting.set(device, { status, atMs: nowMs, seenAtMs: nowMs });
        this.lastSeen.delete(device);
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Records that a registered device connected or disconnected. */
  seen(device: string): void {
    if (this.waiting.has(device) || this.lastSeen.size >= MAX_KEPT) return;
    this.lastSeen.set(device, Date.now());
  }

  private async write(): Promise<void> {
    const { waiting, lastSeen } = this;
    this.waiting = new Map();
    this.lastSeen = new Map();
    try {
      await inGroups([...waiting], ([device, status]) => this.registry.put('statuses', device, status));
      await inGroups([...lastSeen], ([device, atMs]) => this.noteSeen(device, atMs));
    } catch (error) {
      this.log.warn({ err: error, devices: waiting.size }, 'could not write device statuses; they were dropped');
    }
  }

  /** Updates when a device was last seen, and keeps the status that it last published. */
  private async noteSeen(device: string, seenAtMs: number): Promise<void> {
    // Store nothing about a revoked device.
    if (!(await this.registry.get('devices', device))) return;
    const kept = await this.registry.get<DeviceStatus>('statuses', device);
    if (!kept && this.kept.size >= MAX_KEPT) return;
    this.kept.add(device);
    // This write has no effect if another broker has updated the status in the meantime.
    await this.registry.put('statuses', device, { ...kept?.value, seenAtMs }, kept?.version ?? 0);
  }
}

/** Starts the work for each item, and waits after every `WRITE_TOGETHER` items. */
async function inGroups<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += WRITE_TOGETHER) {
    await Promise.all(items.slice(at, at + WRITE_TOGETHER).map(work));
  }
}

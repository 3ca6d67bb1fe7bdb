import type { DeviceStatus } from '../core/devices/device.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Registry } from '../core/store/store.ts';

/** The largest status payload, bytes. */
const MAX_STATUS_BYTES = 1024;
/** How often collected statuses are written, ms; of several by one device the last is kept. */
const WRITE_EVERY_MS = 2_000;
/** Devices whose status is kept, at most: with an open door anybody can invent devices. */
const MAX_KEPT = 20_000;
/** Statuses written at the same time. */
const WRITE_TOGETHER = 256;

/** Keeps the last status of each device (battery, signal, will). A convenience: never part of a count. */
export class Statuses {
  private readonly registry: Registry;
  private readonly log: Log;
  private waiting = new Map<string, DeviceStatus>();
  /** Devices that were seen and said nothing of themselves meanwhile. */
  private seen = new Map<string, number>();
  private readonly kept = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(registry: Registry, log: Log) {
    this.registry = registry;
    this.log = log;
  }

  async start(): Promise<void> {
    for (const { id } of await this.registry.list('statuses')) this.kept.add(id);
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
      if (this.kept.size < MAX_KEPT) this.kept.add(device);
      if (this.kept.has(device)) {
        const nowMs = Date.now();
        this.waiting.set(device, { status, atMs: nowMs, seenAtMs: nowMs });
        this.seen.delete(device);
      }
      return true;
    } catch {
      return false;
    }
  }

  /** A registered device came or went. */
  saw(device: string): void {
    if (this.waiting.has(device) || this.seen.size >= MAX_KEPT) return;
    this.seen.set(device, Date.now());
  }

  private async write(): Promise<void> {
    const { waiting, seen } = this;
    this.waiting = new Map();
    this.seen = new Map();
    try {
      const all = [...waiting];
      for (let at = 0; at < all.length; at += WRITE_TOGETHER) {
        const some = all.slice(at, at + WRITE_TOGETHER);
        await Promise.all(some.map(([device, status]) => this.registry.put('statuses', device, status)));
      }
      const came = [...seen];
      for (let at = 0; at < came.length; at += WRITE_TOGETHER) {
        await Promise.all(came.slice(at, at + WRITE_TOGETHER).map(([device, atMs]) => this.noteSeen(device, atMs)));
      }
    } catch (error) {
      this.log.warn({ err: error, devices: waiting.size }, 'device statuses could not be written; dropped');
    }
  }

  /** Keeps what the device said of itself before. */
  private async noteSeen(device: string, seenAtMs: number): Promise<void> {
    // A device that was revoked leaves nothing behind.
    if (!(await this.registry.get('devices', device))) return;
    const kept = await this.registry.get<DeviceStatus>('statuses', device);
    if (!kept && this.kept.size >= MAX_KEPT) return;
    this.kept.add(device);
    // Somebody else wrote meanwhile: then it was seen there.
    await this.registry.put('statuses', device, { ...kept?.value, seenAtMs }, kept?.version ?? 0);
  }
}

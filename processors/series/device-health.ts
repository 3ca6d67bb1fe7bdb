import type { Device, DeviceStatus } from '../../core/devices/device.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Point, Series } from '../../core/store/series/series.ts';
import type { Store } from '../../core/store/store.ts';
import { isIdentifier } from '../../core/voting/rules/text/identifier.ts';
import { repeat } from '../../core/waiting/repeat.ts';

/** Interval in ms between writes of device health. */
const WRITE_EVERY_MS = 15_000;
/** A device counts as reporting if it has published a status within this time (ms). */
const REPORTING_MS = 300_000;
/** A battery is low if its charge is below this percentage. */
const LOW_BATTERY = 20;
/** Maximum number of series, one per group and firmware. Devices report their firmware, so they could invent any number. */
const MAX_COMBINATIONS = 200;
const UNKNOWN = 'unknown';
const OTHER = 'other';
/** The partition whose processor also does the work that belongs to no partition. */
const FIRST = 0;

interface HealthParts {
  readonly store: Store;
  readonly series: Series;
  readonly partitions: () => readonly number[];
  readonly log: Log;
}

/** Writes the health of devices (battery, signal) by group and firmware, but never for individual devices. */
export class DeviceHealth {
  private readonly parts: HealthParts;
  private readonly halt = new AbortController();
  private writing = Promise.resolve();

  private constructor(parts: HealthParts) {
    this.parts = parts;
  }

  static async open(parts: HealthParts): Promise<DeviceHealth> {
    const health = new DeviceHealth(parts);
    const step = async () => {
      if (parts.partitions().includes(FIRST)) await health.writeHealth();
    };
    health.writing = repeat(step, {
      signal: health.halt.signal,
      everyMs: WRITE_EVERY_MS,
      retryMs: { first: WRITE_EVERY_MS },
      log: parts.log.child({ part: 'device health' }),
      failureMessage: 'could not write device health; trying again',
      level: 'debug',
    });
    return health;
  }

  async close(): Promise<void> {
    this.halt.abort();
    await this.writing;
  }

  private async writeHealth(): Promise<void> {
    const { registry } = this.parts.store;
    const devices = await registry.list<Device>('devices');
    const statuses = await registry.list<DeviceStatus>('statuses');
    const groups = new Map(devices.map(({ id, value }) => [id, value.group ?? UNKNOWN]));
    const known = new Map(statuses.map(({ id, value }) => [id, value]));
    await this.parts.series.write(healthPoints(groups, known, Date.now()));
  }
}

/** The battery in %, the signal in dBm and the firmware, if the status contains them. */
function factsOf(status: unknown): { battery?: number; signal?: number; firmware: string } {
  const { battery, signal, firmware } = status as Record<string, unknown>;
  return {
    ...(typeof battery === 'number' && battery >= 0 && battery <= 100 ? { battery } : {}),
    ...(typeof signal === 'number' && Math.abs(signal) <= 200 ? { signal } : {}),
    // Versions usually contain dots, which ids may not.
    firmware: typeof firmware === 'string' && isIdentifier(firmware.replaceAll('.', '_')) ? firmware : UNKNOWN,
  };
}

/**
 * One point per group and firmware.
 *
 * @param groups the group of each registered device; unregistered devices are absent
 */
export function healthPoints(
  groups: ReadonlyMap<string, string>,
  statuses: ReadonlyMap<string, DeviceStatus>,
  nowMs: number,
): Point[] {
  const members = new Map<string, { group: string; firmware: string; statuses: (DeviceStatus | undefined)[] }>();
  for (const device of new Set([...groups.keys(), ...statuses.keys()])) {
    const status = statuses.get(device);
    const group = groups.get(device) ?? UNKNOWN;
    const { firmware } = factsOf(status?.status ?? {});
    const isKnown = members.has(`${group} ${firmware}`) || members.size < MAX_COMBINATIONS;
    const [g, f] = isKnown ? [group, firmware] : [OTHER, OTHER];
    const key = `${g} ${f}`;
    const found = members.get(key) ?? { group: g, firmware: f, statuses: [] };
    members.set(key, found);
    found.statuses.push(status);
  }
  const atMs = Math.floor(nowMs / 1_000) * 1_000;
  return [...members.values()].map(({ group, firmware, statuses: all }) => {
    const facts = all.map((status) => factsOf(status?.status ?? {}));
    const batteries = facts.map(({ battery }) => battery).filter((battery) => battery !== undefined);
    const signals = facts.map(({ signal }) => signal).filter((signal) => signal !== undefined);
    return {
      measurement: 'fleet',
      tags: { group, firmware },
      fields: {
        devices: all.length,
        reporting: all.filter((status) => status && nowMs - (status.atMs ?? 0) < REPORTING_MS).length,
        low: batteries.filter((battery) => battery < LOW_BATTERY).length,
        ...(batteries.length > 0
          ? { battery_mean: mean(batteries), battery_min: batteries.reduce((a, b) => Math.min(a, b)) }
          : {}),
        ...(signals.length > 0 ? { signal_mean: mean(signals) } : {}),
      },
      atMs,
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

import type { Device, DeviceStatus } from '../core/devices/device.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Point, Series } from '../core/store/series/series.ts';
import type { Store } from '../core/store/store.ts';
import { isIdentifier } from '../core/voting/identifier.ts';

/** How often the fleet is looked at, ms. */
const LOOK_EVERY_MS = 15_000;
/** A device that told of itself within this time is reporting, ms. */
const REPORTING_MS = 300_000;
/** A battery below this is low, %. */
const LOW_BATTERY = 20;
/** Combinations of group and firmware told apart; devices tell their firmware themselves, and could invent many. */
const MAX_COMBINATIONS = 200;
const UNKNOWN = 'unknown';
const OTHER = 'other';
/** The partition whose processor looks after what belongs to no partition. */
const FIRST = 0;

/** Tells how the devices are, by group and firmware and never one by one. */
export class Fleet {
  readonly name = 'fleet';
  private readonly store: Store;
  private readonly series: Series;
  private readonly partitions: () => readonly number[];
  private readonly log: Log;
  private readonly halt = new AbortController();
  private loop: Promise<void> | undefined;

  constructor(parts: { store: Store; series: Series; partitions: () => readonly number[]; log: Log }) {
    this.store = parts.store;
    this.series = parts.series;
    this.partitions = parts.partitions;
    this.log = parts.log.child({ part: 'fleet' });
  }

  async start(): Promise<void> {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.halt.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      try {
        if (this.partitions().includes(FIRST)) await this.look();
      } catch (error) {
        this.log.debug({ err: error }, 'could not tell of the devices; trying again');
      }
      await pause(LOOK_EVERY_MS, signal);
    }
  }

  private async look(): Promise<void> {
    const devices = await this.store.registry.list<Device>('devices');
    const statuses = await this.store.registry.list<DeviceStatus>('statuses');
    const groups = new Map(devices.map(({ id, value }) => [id, value.group ?? UNKNOWN]));
    const known = new Map(statuses.map(({ id, value }) => [id, value]));
    await this.series.write(fleetPoints(groups, known, Date.now()));
  }
}

/** Battery in %, signal in dBm and firmware, as far as a status tells them. */
function factsOf(status: unknown): { battery?: number; signal?: number; firmware: string } {
  const { battery, signal, firmware } = status as Record<string, unknown>;
  return {
    ...(typeof battery === 'number' && battery >= 0 && battery <= 100 ? { battery } : {}),
    ...(typeof signal === 'number' && Math.abs(signal) <= 200 ? { signal } : {}),
    // Dots are usual in versions and not in ids.
    firmware: typeof firmware === 'string' && isIdentifier(firmware.replaceAll('.', '_')) ? firmware : UNKNOWN,
  };
}

/**
 * One point per group and firmware.
 *
 * @param groups the group of each registered device; devices that nobody registered have none
 */
export function fleetPoints(
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

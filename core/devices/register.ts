import { Refusal } from '../runtime/refusal.ts';
import type { Registry } from '../store/store.ts';
import type { Mandate } from '../voting/poll/electorate.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../voting/rules/identifier.ts';
import { parseWeight, WEIGHT_RULE } from '../voting/rules/weight.ts';
import type { Device, DeviceStatus } from './device.ts';
import { isGuestId } from './guest.ts';
import { hashSecret, MIN_SECRET_LENGTH, newSecret } from './secret.ts';

/** A device to be registered. */
export interface NewDevice {
  readonly device: string;
  readonly label?: string | undefined;
  readonly group?: string | undefined;
  readonly weight?: string | undefined;
  readonly mandates?: readonly Mandate[] | undefined;
  /** Generated if absent. */
  readonly secret?: string | undefined;
}

/** Registers, changes and removes devices. */
export class DeviceRegister {
  private readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** All registered devices with their last status, sorted by id. */
  async list(): Promise<{ readonly device: Device; readonly status: DeviceStatus | undefined }[]> {
    const devices = await this.registry.list<Device>('devices');
    const statuses = await this.registry.list<DeviceStatus>('statuses');
    const known = new Map(statuses.map(({ id, value }) => [id, value]));
    return devices
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, value }) => ({ device: value, status: known.get(id) }));
  }

  /** A device and its last status; either may be undefined. @throws Refusal no-such-device if both are */
  async find(id: string): Promise<{ readonly device: Device | undefined; readonly status: DeviceStatus | undefined }> {
    const device = await this.registry.get<Device>('devices', id);
    const status = await this.registry.get<DeviceStatus>('statuses', id);
    if (!device && !status) throw noSuchDevice(id);
    return { device: device?.value, status: status?.value };
  }

  /** Stores a device and returns its secret; undefined if the device already exists. */
  async register({ secret = newSecret(), ...wanted }: NewDevice): Promise<string | undefined> {
    const kept: Device = { ...wanted, ...hashSecret(secret), createdAtMs: Date.now() };
    return (await this.registry.put('devices', wanted.device, kept, 0)) === undefined ? undefined : secret;
  }

  /** Changes a device, and tries again if it is changed concurrently. @throws Refusal no-such-device */
  async change(id: string, changes: Partial<Device>): Promise<Device> {
    for (;;) {
      const kept = await this.registry.get<Device>('devices', id);
      if (!kept) throw noSuchDevice(id);
      const changed = { ...kept.value, ...changes };
      if (await this.registry.put('devices', id, changed, kept.version)) return changed;
    }
  }

  /** Removes a device; brokers then disconnect it. @throws Refusal no-such-device */
  async revoke(id: string): Promise<void> {
    if (!(await this.registry.get('devices', id))) throw noSuchDevice(id);
    await this.registry.remove('devices', id);
    await this.registry.remove('statuses', id);
  }
}

function noSuchDevice(id: string): Refusal {
  return new Refusal('no-such-device', `there is no device ${JSON.stringify(id)}`);
}

/** Validates new devices. @throws Refusal bad-devices, listing every problem */
export function demandValid(devices: readonly NewDevice[]): void {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [i, { device, group, weight, mandates = [], secret }] of devices.entries()) {
    const at = devices.length === 1 ? '' : `devices[${i}].`;
    if (!isIdentifier(device)) problems.push(`${at}device: must be ${IDENTIFIER_RULE}`);
    else if (isGuestId(device)) problems.push(`${at}device: ids that begin with "guest-" are reserved for guests`);
    if (group !== undefined && !isIdentifier(group)) problems.push(`${at}group: must be ${IDENTIFIER_RULE}`);
    if (weight !== undefined && weight !== '0' && parseWeight(weight) === undefined) {
      problems.push(`${at}weight: must be ${WEIGHT_RULE}, or 0 for a device that only carries mandates`);
    }
    problems.push(...mandates.flatMap((mandate, m) => mandateProblems(mandate, `${at}mandates[${m}].`)));
    if (new Set(mandates.map(({ mandate }) => mandate)).size < mandates.length) {
      problems.push(`${at}mandates: a mandate occurs twice`);
    }
    if (seen.has(device)) problems.push(`${at}device: ${JSON.stringify(device)} occurs twice`);
    seen.add(device);
    if (secret !== undefined && secret.length < MIN_SECRET_LENGTH) {
      problems.push(`${at}secret: must have at least ${MIN_SECRET_LENGTH} characters; if omitted, one is generated`);
    }
  }
  if (problems.length === 0) return;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  throw new Refusal('bad-devices', `${count}; nothing was registered`, problems);
}

function mandateProblems({ mandate, weight, group }: Mandate, at: string): string[] {
  const problems: string[] = [];
  if (!isIdentifier(mandate)) problems.push(`${at}mandate: must be ${IDENTIFIER_RULE}`);
  if (group !== undefined && !isIdentifier(group)) problems.push(`${at}group: must be ${IDENTIFIER_RULE}`);
  if (weight !== undefined && parseWeight(weight) === undefined) problems.push(`${at}weight: must be ${WEIGHT_RULE}`);
  return problems;
}

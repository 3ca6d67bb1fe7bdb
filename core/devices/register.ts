import { Refusal } from '../runtime/refusal.ts';
import type { Registry } from '../store/store.ts';
import type { Mandate } from '../voting/poll/electorate.ts';
import { type DoubleVote, doubleVoteProblem, doubleVotes } from '../voting/poll/mandates.ts';
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

  /**
   * Stores a device and returns its secret; undefined if the device already exists. @throws Refusal mandate-twice
   */
  async register({ secret = newSecret(), ...wanted }: NewDevice): Promise<string | undefined> {
    if (await this.registry.get('devices', wanted.device)) return undefined;
    await this.demandSingle([{ before: undefined, after: wanted }]);
    const kept: Device = { ...wanted, ...hashSecret(secret), createdAtMs: Date.now() };
    const version = await this.registry.put('devices', wanted.device, kept, 0);
    if (version === undefined) return undefined;
    await this.keepSingle([{ before: undefined, after: kept, version }]);
    return secret;
  }

  /** Changes a device, and tries again if it is changed concurrently. @throws Refusal no-such-device, mandate-twice */
  async change(id: string, changes: Partial<Device>): Promise<Device> {
    const mayVoteTwice = 'mandates' in changes || 'weight' in changes;
    for (;;) {
      const kept = await this.registry.get<Device>('devices', id);
      if (!kept) throw noSuchDevice(id);
      const after = { ...kept.value, ...changes };
      if (mayVoteTwice) await this.demandSingle([{ before: kept.value, after }]);
      const version = await this.registry.put('devices', id, after, kept.version);
      if (version === undefined) continue;
      if (mayVoteTwice) await this.keepSingle([{ before: kept.value, after, version }]);
      return after;
    }
  }

  /** @throws Refusal mandate-twice if anybody would vote twice because of these changes */
  private async demandSingle(changes: readonly Change[]): Promise<void> {
    const before = new Map<string, NewDevice>();
    for (const { id, value } of await this.registry.list<Device>('devices')) before.set(id, value);
    const after = new Map(before);
    for (const change of changes) {
      const { device } = change.after;
      after.set(device, change.after);
      if (change.before) before.set(device, change.before);
      else before.delete(device);
    }
    // What was wrong before, in devices stored by an earlier version, may be put right one device at a time.
    const known = new Set(doubleVotes(before.values()).flatMap(carried));
    const doubled = doubleVotes(after.values()).filter((one) => carried(one).some((by) => !known.has(by)));
    if (doubled.length > 0) throw voteTwice(doubled);
  }

  /**
   * Checks again once the devices are stored, because two requests may each have been checked before the other was stored. Of
   * two that conflict, the one stored last finds both, so at least one is undone. @throws Refusal mandate-twice
   */
  private async keepSingle(stored: readonly StoredChange[]): Promise<void> {
    try {
      await this.demandSingle(stored);
    } catch (error) {
      for (const { before, after, version } of stored) {
        const { device } = after;
        if (before) await this.registry.put('devices', device, before, version);
        else if ((await this.registry.get('devices', device))?.version === version) {
          await this.registry.remove('devices', device);
        }
      }
      throw error;
    }
  }

  /** Removes a device; brokers then disconnect it. @throws Refusal no-such-device */
  async revoke(id: string): Promise<void> {
    if (!(await this.registry.get('devices', id))) throw noSuchDevice(id);
    await this.registry.remove('devices', id);
    await this.registry.remove('statuses', id);
  }
}

/** A device, and what is stored of it before. */
interface Change {
  readonly before: Device | undefined;
  readonly after: NewDevice;
}

interface StoredChange extends Change {
  readonly version: number;
}

/** A mandate with each device that carries it, as one text each. */
function carried({ mandate, devices }: DoubleVote): string[] {
  return devices.map((device) => `${mandate} ${device}`);
}

function voteTwice(doubled: readonly DoubleVote[]): Refusal {
  const problems = doubled.map(doubleVoteProblem);
  return new Refusal('mandate-twice', 'somebody would vote more than once; nothing was changed', problems);
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
    if (mandates.some(({ mandate }) => mandate === device)) {
      problems.push(`${at}mandates: a device needs no mandate for itself; its own vote has the weight of the device`);
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

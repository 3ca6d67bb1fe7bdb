import { Refusal } from '../runtime/refusal.ts';
import type { Registry, Versioned } from '../store/store.ts';
import type { Mandate } from '../voting/poll/electorate.ts';
import { type DoubleVote, doubleVoteProblem, doubleVotes } from '../voting/poll/mandates.ts';
import { Claims } from './claims/claims.ts';
import { type Device, type DeviceStatus, withSecret } from './device.ts';
import { type ImportedDevice, type PlannedDevice, planDevice } from './import/plan.ts';
import { Releases } from './releases.ts';
import type { Revocation, RevocationCourse } from './revocation.ts';
import { hashSecret, newSecret } from './secret.ts';

/** The number of devices written concurrently. */
const WRITE_TOGETHER = 64;

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
  private readonly releases: Releases;
  private readonly claims: Claims;

  constructor(registry: Registry) {
    this.registry = registry;
    this.releases = new Releases(registry);
    this.claims = new Claims(registry);
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

  /** Stores a device and returns its secret; undefined if the device already exists. @throws Refusal mandate-twice */
  async register({ secret = newSecret(), ...wanted }: NewDevice): Promise<string | undefined> {
    if (await this.registry.get('devices', wanted.device)) return undefined;
    const isStored = await this.store([{ before: undefined, after: newDevice(wanted, secret) }]);
    return isStored ? secret : undefined;
  }

  /** Changes a device, and tries again if it is changed concurrently. @throws Refusal no-such-device, mandate-twice */
  async change(id: string, changes: Partial<Device>): Promise<{ readonly before: Device; readonly after: Device }> {
    for (;;) {
      const before = await this.registry.get<Device>('devices', id);
      if (!before) throw noSuchDevice(id);
      const after = { ...before.value, ...changes };
      if (await this.store([{ before, after }])) return { before: before.value, after };
    }
  }

  /** What an import would do with each device, without doing it. @throws Refusal mandate-twice */
  async plan(wanted: readonly ImportedDevice[]): Promise<PlannedDevice[]> {
    const kept = await this.registry.list<Device>('devices');
    const known = new Map(kept.map((device) => [device.id, device]));
    const plans = wanted.map((device) => planDevice(device, known.get(device.device)));
    const steps = plans.map(({ device, settings, before }) => ({
      before: before?.value,
      after: { device, ...settings },
    }));
    demandSingle(
      kept.map(({ value }) => value),
      steps,
    );
    demandUnmoved(await this.releases.problems(steps));
    return plans;
  }

  /**
   * Carries out a plan, all of it or nothing, and returns the secrets of new devices by id; undefined if a device was changed
   * since the plan was made. @throws Refusal mandate-twice
   */
  async carryOut(plans: readonly PlannedDevice[]): Promise<ReadonlyMap<string, string> | undefined> {
    const secrets = new Map<string, string>();
    const changes = plans.flatMap(({ device, settings, before, changes, secret = newSecret() }): Change[] => {
      if (!before) {
        secrets.set(device, secret);
        return [{ before, after: newDevice({ device, ...settings }, secret) }];
      }
      return changes.length === 0 ? [] : [{ before, after: { ...before.value, ...settings } }];
    });
    return (await this.store(changes)) ? secrets : undefined;
  }

  /**
   * Stores devices, all or none; false if one of them is no longer what it was. Who would vote twice is checked before and
   * after, because two requests may each be checked before the other is stored. Of two that conflict, the one stored last finds
   * both, so at least one is undone. @throws Refusal mandate-twice
   */
  private async store(changes: readonly Change[]): Promise<boolean> {
    const mayVoteTwice = changes.some(({ before, after }) => !before || !hasSameVotes(before.value, after));
    const check = async () => {
      const kept = mayVoteTwice ? await this.registry.list<Device>('devices') : [];
      demandSingle(
        kept.map(({ value }) => value),
        changes.map(({ before, after }) => ({ before: before?.value, after })),
      );
    };
    await check();
    const steps = mayVoteTwice ? changes.map(({ before, after }) => ({ before: before?.value, after })) : [];
    demandUnmoved(await this.releases.problems(steps));
    await this.releases.note(steps);
    const versions = new Map<Change, number>();
    for (let at = 0; at < changes.length; at += WRITE_TOGETHER) {
      const some = changes.slice(at, at + WRITE_TOGETHER);
      const put = ({ before, after }: Change) =>
        this.registry.put('devices', after.device, after, before?.version ?? 0);
      const written = await Promise.all(some.map(put));
      for (const [i, change] of some.entries()) {
        const version = written[i];
        if (version !== undefined) versions.set(change, version);
      }
      if (written.includes(undefined)) {
        await this.undo(versions);
        return false;
      }
    }
    try {
      await check();
    } catch (error) {
      await this.undo(versions);
      throw error;
    }
    return true;
  }

  /** Puts back what was stored before, unless somebody has changed it again. */
  private async undo(versions: ReadonlyMap<Change, number>): Promise<void> {
    for (const [{ before, after }, version] of versions) {
      const { device } = after;
      if (before) await this.registry.put('devices', device, before.value, version);
      else await this.registry.remove('devices', device, version);
    }
  }

  /**
   * Gives a device a new secret, and returns it. The current one works until the new one is first used, and for `graceMs` at most;
   * with 0, it ends now, and what is connected with it is disconnected. A code that was not exchanged is withdrawn when it ends.
   *
   * @throws Refusal no-such-device
   */
  async renewSecret(id: string, graceMs: number): Promise<{ readonly device: Device; readonly secret: string }> {
    const secret = newSecret();
    const hashed = hashSecret(secret);
    const next = { ...hashed, untilMs: Date.now() + graceMs };
    for (;;) {
      const before = await this.registry.get<Device>('devices', id);
      if (!before) throw noSuchDevice(id);
      const device = graceMs > 0 ? { ...before.value, next } : withSecret(before.value, hashed);
      if ((await this.registry.put('devices', id, device, before.version)) !== undefined) return { device, secret };
    }
  }

  /** Removes a device, and returns what was removed; brokers then disconnect it. @throws Refusal no-such-device */
  async revoke(id: string): Promise<Device> {
    const removed = await this.removeOne(id);
    if (!removed) throw noSuchDevice(id);
    return removed;
  }

  /**
   * Removes devices; brokers then disconnect them. Ids that are not registered change nothing. When the store fails, those that were
   * begun are finished, and no others are begun.
   *
   * @param course what to call after each one, and when to begin no more
   */
  async revokeAll(ids: readonly string[], course: RevocationCourse = {}): Promise<Revocation> {
    const revoked: string[] = [];
    const unknown: string[] = [];
    const all = [...new Set(ids)];
    for (let at = 0; at < all.length; at += WRITE_TOGETHER) {
      if (course.isOver?.()) return { revoked, unknown, notBegun: all.slice(at), uncertain: [], error: undefined };
      const some = all.slice(at, at + WRITE_TOGETHER);
      let kept: readonly (Versioned<Device> | undefined)[];
      try {
        kept = await Promise.all(some.map((id) => this.registry.get<Device>('devices', id)));
        await this.releases.note(kept.flatMap((one) => (one ? [{ before: one.value, after: undefined }] : [])));
      } catch (error) {
        return { revoked, unknown, notBegun: all.slice(at), uncertain: [], error };
      }
      const removals = await Promise.allSettled(
        kept.map(async (one, i) => {
          if (one && !(await this.removeNoted(one))) await this.removeOne(one.value.device);
          if (one) course.onRevoked?.(some[i] ?? '');
        }),
      );
      const uncertain: string[] = [];
      for (const [i, id] of some.entries()) {
        if (removals[i]?.status === 'rejected') uncertain.push(id);
        else (kept[i] ? revoked : unknown).push(id);
      }
      const failed = removals.find((one) => one.status === 'rejected');
      if (failed) {
        return { revoked, unknown, notBegun: all.slice(at + WRITE_TOGETHER), uncertain, error: failed.reason };
      }
    }
    return { revoked, unknown, notBegun: [], uncertain: [], error: undefined };
  }

  /** Removes a device, even if it is being changed. @returns what was removed; undefined if it was not registered */
  private async removeOne(id: string): Promise<Device | undefined> {
    for (;;) {
      const kept = await this.registry.get<Device>('devices', id);
      if (!kept) return undefined;
      await this.releases.note([{ before: kept.value, after: undefined }]);
      if (await this.removeNoted(kept)) return kept.value;
    }
  }

  /** Removes a device whose releases are noted; false if it has been changed since, and may vote for others now. */
  private async removeNoted({ value, version }: Versioned<Device>): Promise<boolean> {
    if (!(await this.registry.remove('devices', value.device, version))) return false;
    await this.registry.remove('statuses', value.device);
    await this.claims.forget(value);
    return true;
  }
}

/** A device to be stored, and what is stored of it now. */
interface Change {
  readonly before: Versioned<Device> | undefined;
  readonly after: Device;
}

function newDevice(wanted: NewDevice, secret: string): Device {
  return { ...wanted, ...hashSecret(secret), createdAtMs: Date.now() };
}

function hasSameVotes(a: Device, b: Device): boolean {
  return a.weight === b.weight && JSON.stringify(a.mandates ?? []) === JSON.stringify(b.mandates ?? []);
}

/**
 * Double votes that earlier versions allowed may be corrected one device at a time.
 *
 * @param kept all stored devices, with or without the changes
 * @throws Refusal mandate-twice if anybody would vote twice because of the changes
 */
function demandSingle(
  kept: readonly Device[],
  changes: readonly { readonly before: Device | undefined; readonly after: NewDevice }[],
): void {
  const before = new Map<string, NewDevice>(kept.map((device) => [device.device, device]));
  const after = new Map(before);
  for (const change of changes) {
    const { device } = change.after;
    after.set(device, change.after);
    if (change.before) before.set(device, change.before);
    else before.delete(device);
  }
  const known = new Set(doubleVotes(before.values()).flatMap(carried));
  const doubled = doubleVotes(after.values()).filter((one) => carried(one).some((by) => !known.has(by)));
  if (doubled.length > 0) throw voteTwice(doubled.map(doubleVoteProblem));
}

/** A mandate with each device that carries it, as one text each. */
function carried({ mandate, devices }: DoubleVote): string[] {
  return devices.map((device) => `${mandate} ${device}`);
}

/** @throws Refusal mandate-twice if a mandate would move to another device during a round */
function demandUnmoved(problems: readonly string[]): void {
  if (problems.length > 0) throw voteTwice(problems);
}

function voteTwice(problems: readonly string[]): Refusal {
  return new Refusal('mandate-twice', 'somebody would vote more than once; nothing was changed', problems);
}

function noSuchDevice(id: string): Refusal {
  return new Refusal('no-such-device', `there is no device ${JSON.stringify(id)}`);
}

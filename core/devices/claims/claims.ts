import { randomBytes } from 'node:crypto';
import { Refusal } from '../../runtime/refusal.ts';
import type { Registry } from '../../store/store.ts';
import { type Device, withSecret } from '../device.ts';
import { hashSecret, isSameText, newSecret } from '../secret.ts';
import { formatCode, hashCode, newCode, parseCode } from './code.ts';

/** How often a new code is drawn because the handle is taken, or something is tried again because the device was changed. */
const MAX_TRIES = 10;

/** A code that has been issued. It is shown only once. */
export interface IssuedCode {
  readonly device: string;
  readonly label: string | undefined;
  readonly code: string;
  /** When it expires, in ms since 1970; undefined if it does not. */
  readonly untilMs: number | undefined;
}

/**
 * Claim codes: printed on a device, and exchanged once for its secret. A device has one code at most. It is kept with the device, so
 * that exchanging it is one write, and it ends with the registration. The collection `claims` only finds the device.
 */
export class Claims {
  private readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** Issues a code, which replaces an earlier one. @throws Refusal no-such-device, devices-changed, busy */
  async issue(id: string, untilMs: number | undefined): Promise<IssuedCode> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await this.registry.get<Device>('devices', id);
      if (!before) throw new Refusal('no-such-device', `there is no device ${JSON.stringify(id)}`);
      const code = newCode();
      const salt = randomBytes(16).toString('base64url');
      const claim = { handle: code.handle, salt, hash: await hashCode(code.rest, salt, 'issued'), untilMs };
      if ((await this.registry.put('claims', code.handle, { device: id }, 0)) === undefined) continue;
      if ((await this.registry.put('devices', id, { ...before.value, claim }, before.version)) !== undefined) {
        await this.forget(before.value);
        return { device: id, label: before.value.label, code: formatCode(code), untilMs };
      }
      await this.registry.remove('claims', code.handle);
    }
    throw new Refusal('devices-changed', 'the device was changed at the same time; try again');
  }

  /** Withdraws the code of a device. Returns false if it has none. @throws Refusal no-such-device, devices-changed */
  async withdraw(id: string): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await this.registry.get<Device>('devices', id);
      if (!before) throw new Refusal('no-such-device', `there is no device ${JSON.stringify(id)}`);
      if (!before.value.claim) return false;
      const { claim, ...after } = before.value;
      if ((await this.registry.put('devices', id, after, before.version)) === undefined) continue;
      await this.forget({ claim });
      return true;
    }
    throw new Refusal('devices-changed', 'the device was changed at the same time; try again');
  }

  /**
   * Exchanges a code for a new secret of its device. Every secret from before stops working, and what is connected with one is
   * disconnected.
   *
   * @throws Refusal wrong-code, busy
   */
  async exchange(text: string): Promise<{ readonly device: Device; readonly secret: string }> {
    const code = parseCode(text);
    const found = code && (await this.registry.get<{ device: string }>('claims', code.handle));
    if (!code || !found) throw wrongCode();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await this.registry.get<Device>('devices', found.value.device);
      const claim = before?.value.claim;
      if (!before || claim?.handle !== code.handle) throw wrongCode();
      if (claim.untilMs !== undefined && claim.untilMs <= Date.now()) throw wrongCode();
      if (!isSameText(await hashCode(code.rest, claim.salt, 'exchanged'), claim.hash)) throw wrongCode();
      const secret = newSecret();
      const device = { ...withSecret(before.value, hashSecret(secret)), claimedAtMs: Date.now() };
      // Of two that exchange the same code, the slower one finds another version, and then no code.
      if ((await this.registry.put('devices', device.device, device, before.version)) === undefined) continue;
      await this.forget(before.value);
      return { device, secret };
    }
    throw new Refusal('busy', 'the device is being changed; try again shortly');
  }

  /** Forgets where the code of a device leads. What is left behind leads nowhere. */
  async forget({ claim }: Pick<Device, 'claim'>): Promise<void> {
    if (claim) await this.registry.remove('claims', claim.handle).catch(() => {});
  }
}

/** Says the same of every code, so that nobody learns which ones exist. */
function wrongCode(): Refusal {
  const why = 'this code is wrong, was used before, has expired, or was withdrawn; ask the operator for a new one';
  return new Refusal('wrong-code', why);
}

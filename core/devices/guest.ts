import { createHmac, randomBytes } from 'node:crypto';
import type { Registry } from '../store/store.ts';
import { isSameText } from './secret.ts';

/** The prefix of every guest id. Registered devices cannot use it. */
const PREFIX = 'guest-';

/** The credentials of a guest: its id, which is also its MQTT client id and user name, and its password. */
export interface GuestCredentials {
  readonly device: string;
  readonly password: string;
}

/**
 * Issues and checks credentials for unregistered phones. The password is a keyed hash of the id, so guests take up no space in
 * the store.
 */
export class GuestBook {
  private readonly registry: Registry;
  private key: Promise<string> | undefined;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  async issue(): Promise<GuestCredentials> {
    const device = PREFIX + randomBytes(12).toString('hex');
    return { device, password: sign(await this.signingKey(), device) };
  }

  async isGuest(device: string, password: Buffer | string): Promise<boolean> {
    if (!device.startsWith(PREFIX)) return false;
    return isSameText(password.toString(), sign(await this.signingKey(), device));
  }

  private signingKey(): Promise<string> {
    this.key ??= this.readKey().catch((error) => {
      this.key = undefined;
      throw error;
    });
    return this.key;
  }

  /** Reads the deployment’s key, or creates it. The first process to write a key wins, so all processes use the same key. */
  private async readKey(): Promise<string> {
    await this.registry.put('secrets', 'guests', randomBytes(32).toString('base64url'), 0);
    const kept = await this.registry.get<string>('secrets', 'guests');
    if (!kept) throw new Error('the key for guest credentials could not be stored');
    return kept.value;
  }
}

/** True if an id is reserved for guests. */
export function isGuestId(device: string): boolean {
  return device.startsWith(PREFIX);
}

function sign(key: string, device: string): string {
  return createHmac('sha256', key).update(device).digest('base64url').slice(0, 32);
}

import type { Registry } from '../store/store.ts';
import type { Elector } from '../voting/poll/electorate.ts';
import { type Device, electorOf, registrationOf } from './device.ts';
import type { GuestBook } from './guest.ts';
import { isSecret } from './secret.ts';

/** A device or guest whose credentials are right. */
export interface Admitted {
  readonly elector: Elector;
  /** See `registrationOf`; undefined for guests and unknown devices. */
  readonly registration?: string;
}

/** The device or guest with these credentials; undefined if they are wrong. */
export async function authenticate(
  registry: Registry,
  guests: GuestBook,
  device: string,
  secret: Buffer | string,
): Promise<Admitted | undefined> {
  const kept = await registry.get<Device>('devices', device);
  if (kept) {
    if (!isSecret(secret, kept.value)) return undefined;
    return { elector: electorOf(kept.value), registration: registrationOf(kept.value) };
  }
  return (await guests.isGuest(device, secret))
    ? { elector: { device, isRegistered: false, isGuest: true } }
    : undefined;
}

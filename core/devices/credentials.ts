import type { Registry } from '../store/store.ts';
import type { Elector } from '../voting/poll/electorate.ts';
import { type Device, electorOf } from './device.ts';
import type { GuestBook } from './guest.ts';
import { isSecret } from './secret.ts';

/** The device or guest with these credentials; undefined if they are wrong. */
export async function authenticate(
  registry: Registry,
  guests: GuestBook,
  device: string,
  secret: Buffer | string,
): Promise<Elector | undefined> {
  const kept = await registry.get<Device>('devices', device);
  if (kept) return isSecret(secret, kept.value) ? electorOf(kept.value) : undefined;
  return (await guests.isGuest(device, secret)) ? { device, isRegistered: false, isGuest: true } : undefined;
}

import type { Registry } from '../store/store.ts';
import type { Elector } from '../voting/poll/electorate.ts';
import { type Device, electorOf, registrationOf, withSecret } from './device.ts';
import { type Guest, isGuestId } from './guests/credential.ts';
import type { GuestBook } from './guests/guest-book.ts';
import { isSecret } from './secret.ts';

/** How often a new secret is looked up again because the device was changed at the same time. */
const MAX_TRIES = 10;

/** A device or guest whose credentials are right. */
export interface Admitted {
  readonly elector: Elector;
  /** See `registrationOf`; undefined for guests and unknown devices. */
  readonly registration?: string;
  /** What the credentials of a guest say. */
  readonly guest?: Guest;
}

/** A registered device that has proved who it is in another way than by its secret; undefined if it is not registered. */
export async function registered(registry: Registry, device: string): Promise<Admitted | undefined> {
  const kept = await registry.get<Device>('devices', device);
  return kept && admitted(kept.value);
}

/**
 * The device or guest with these credentials; undefined if they are wrong. The first use of a secret that was issued to replace
 * another one ends that one.
 */
export async function authenticate(
  registry: Registry,
  guests: GuestBook,
  device: string,
  secret: Buffer | string,
): Promise<Admitted | undefined> {
  if (isGuestId(device)) {
    const guest = await guests.verify(device, secret);
    return guest && { elector: { device, isRegistered: false, isGuest: true, room: guest.room }, guest };
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const kept = await registry.get<Device>('devices', device);
    if (!kept) return undefined;
    const { next } = kept.value;
    if (next && isSecret(secret, next)) {
      const changed = withSecret(kept.value, next);
      if ((await registry.put('devices', device, changed, kept.version)) !== undefined) return admitted(changed);
      continue;
    }
    const isOver = next !== undefined && next.untilMs <= Date.now();
    return !isOver && isSecret(secret, kept.value) ? admitted(kept.value) : undefined;
  }
  return undefined;
}

function admitted(device: Device): Admitted {
  return { elector: electorOf(device), registration: registrationOf(device) };
}

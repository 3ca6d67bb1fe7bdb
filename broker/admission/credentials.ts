import type { GuestBook } from '../../core/devices/guests/guest-book.ts';
import type { Registry } from '../../core/store/store.ts';
import { every } from '../../core/waiting/pause.ts';
import type { Admission } from './admission.ts';

/** Interval in ms between checks whether the credentials of connected guests and devices have expired. */
const CHECK_EVERY_MS = 1_000;

/** Has an admission check connected clients when their credentials change or expire. @returns what to call to end that */
export function followCredentials(
  admission: Admission,
  { registry, guests, signal }: { registry: Registry; guests: GuestBook | undefined; signal: AbortSignal },
): () => void {
  const unwatch = registry.watch((collection, device) => void admission.onWrite(collection, device));
  if (guests) {
    guests.on('change', admission.checkGuests);
    every(CHECK_EVERY_MS, signal, () => {
      admission.checkGuests();
      admission.checkSecrets();
    });
  }
  return () => {
    unwatch();
    guests?.off('change', admission.checkGuests);
  };
}

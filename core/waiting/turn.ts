import { setImmediate } from 'node:timers/promises';

/** Lets everything that is due run first: packets that have arrived, timers, other requests. */
export async function turn(): Promise<void> {
  await setImmediate();
}

import type { Publish } from './wire/publish.ts';

/**
 * Takes what an accepted device publishes. Each packet is in flight until the connection’s `Acknowledgements` have dealt with
 * it, even if the connection closes.
 */
export interface Receiver {
  publish(packet: Publish): void;
  /** Takes a PUBREL. */
  release(id: number): void;
}

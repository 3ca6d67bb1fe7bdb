/** Limits of a connection. Sizes are in bytes and include the whole MQTT packet. */
export const GATE_LIMITS = {
  /** Maximum time in ms before CONNECT. */
  connectMs: 5_000,
  /** Maximum size of the first packet, CONNECT. */
  connectBytes: 1024,
  /** Maximum size of every later packet. */
  packetBytes: 4096,
  /** Maximum time in ms between the first and the last byte of a packet. */
  packetMs: 10_000,
  /** Maximum number of PUBLISH and PUBREL packets per connection that were taken but not yet acknowledged. */
  inFlight: 512,
  /** Maximum time in ms for which a device may leave its acknowledgements unread. */
  drainMs: 10_000,
} as const;

export type GateLimits = { readonly [Name in keyof typeof GATE_LIMITS]: number } & {
  /** Maximum keep alive in seconds, also for clients that ask for none; 0 or undefined if there is none. */
  readonly keepAliveSeconds?: number;
};

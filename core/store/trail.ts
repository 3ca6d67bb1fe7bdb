/** What happened to a device’s connection. Never says what the device voted. */
export interface DeviceEvent {
  /** When, in ms since 1970; of several equal events in a row, when the last of them happened. */
  readonly atMs: number;
  readonly what: 'connected' | 'refused' | 'subscribed' | 'voted' | 'disconnected';
  /** Why, to which topic, or in which poll and with which outcome; for `connected`, the version if it is MQTT 5. */
  readonly detail?: string | undefined;
  /** How many equal events in a row this stands for; absent for one. */
  readonly times?: number | undefined;
}

/** How many events of a device are kept. */
export const KEPT_EVENTS = 20;
/** For how many devices events are kept. Those of the devices heard least recently are dropped first. */
export const KEPT_TRAILS = 20_000;
/** How long (ms) the events of a device are kept after its last one: one day. */
export const TRAIL_TTL_MS = 86_400_000;

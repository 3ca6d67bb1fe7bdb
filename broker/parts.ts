import type { GuestBook } from '../core/devices/guests/guest-book.ts';
import type { PollBook } from '../core/live/poll-book.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Descriptors } from '../core/process/descriptors.ts';
import type { Tls } from '../core/process/tls/tls.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Store } from '../core/store/store.ts';
import type { Door } from './admission/door.ts';
import type { Permissions } from './connection/permissions.ts';
import type { MissingKeys } from './intake/missing-keys.ts';
import type { BrokerMetrics } from './metrics.ts';
import type { Sessions } from './sessions/sessions.ts';

/** What a broker works with. */
export interface BrokerParts {
  readonly store: Store;
  readonly polls: PollBook;
  readonly results: LiveResults;
  readonly door: Door;
  /** Says when guests are revoked; undefined with an open door. */
  readonly guests?: GuestBook | undefined;
  /** `open` admits any client, `devices` only registered devices and guests. */
  readonly doorKind: 'open' | 'devices';
  /** Which topics devices may use. Only conformance tests pass others than the product’s. */
  readonly permissions?: Permissions;
  /** Opens the store for MQTT sessions and retained messages. */
  readonly sessions: () => Promise<Sessions>;
  /** The secret rounds in which this broker cannot take votes. If absent, only the broker itself asks. */
  readonly missingKeys?: MissingKeys;
  readonly metrics: BrokerMetrics;
  readonly descriptors: Descriptors;
  /** The certificates; undefined without TLS. */
  readonly tls?: Tls | undefined;
  readonly log: Log;
}

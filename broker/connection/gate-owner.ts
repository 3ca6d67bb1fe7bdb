import type { Flow } from './flow/flow.ts';
import type { SharedPace, Slowed } from './flow/pace.ts';
import type { Mqtt5Options } from './mqtt5/translator.ts';
import type { Connect } from './wire/connect.ts';
import type { GateLimits } from './wire/limits.ts';

/** Why a gate closed a connection. */
export class GateError extends Error {
  override readonly name = 'GateError';
}

/** The connection that a gate belongs to. */
export interface GateOwner extends Slowed {
  /** CONNECT has come. What follows it waits until `accept` or `turnAway`. */
  connect(connect: Connect): void;
  /** A packet has come that only Aedes can answer. What follows it waits until `attach` and `attached`. */
  needAedes(): void;
  /** The other side has ended the connection, and everything it sent has been passed on. `closed` follows. */
  closing(): void;
  /** The connection has ended. */
  closed(error: Error | null): void;
}

/** What the gates of a broker share. */
export interface GateParts {
  readonly flow: Flow;
  readonly limits?: GateLimits;
  /** Without it, the pace of packets is not limited. */
  readonly pace?: SharedPace | undefined;
  readonly mqtt5?: Mqtt5Options | undefined;
}

import type { Connection } from '../connection/connection.ts';
import { GateError } from '../connection/gate-owner.ts';
import type { Departure, Refusal } from '../connection/reasons.ts';
import { UNKNOWN_LEVEL } from '../connection/wire/connect.ts';
import { LATE } from '../connection/wire/patience.ts';

/** The messages of errors, by Aedes or the gate, that say more than that a packet was wrong. */
const MESSAGES: Readonly<Record<string, readonly [Departure, Refusal | undefined]>> = {
  [LATE.connect]: ['lost', 'timeout'],
  [LATE['keep alive']]: ['keepalive', undefined],
  [UNKNOWN_LEVEL]: ['packet', 'version'],
  'drain timeout': ['stalled', 'packet'],
};

/** Notes on a connection that it ends because of an error, which the gate, the socket or Aedes reported. */
export function blame(connection: Connection, error: Error & { readonly code?: unknown }): void {
  const known = MESSAGES[error.message];
  if (known) connection.because(...known, error.message);
  else if (error instanceof GateError || isMalformed(connection, error)) {
    connection.because('packet', 'packet', error.message);
  }
}

/** An error of the network has a code, and one that follows from the end of a connection says nothing new. */
function isMalformed({ gate }: Connection, { code, message }: Error & { readonly code?: unknown }): boolean {
  return code === undefined && gate.ending === undefined && message !== 'connection closed' && !/close/i.test(message);
}

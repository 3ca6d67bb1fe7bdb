import { type Admitted, authenticate } from '../../core/devices/credentials.ts';
import type { GuestBook } from '../../core/devices/guest.ts';
import type { Registry } from '../../core/store/store.ts';
import { IDENTIFIER_RULE, identifierLike, isIdentifier } from '../../core/voting/rules/text/identifier.ts';
import type { Refusal } from '../connection/reasons.ts';

/** CONNACK return codes [MQTT-3.2.2.3]. */
export const CONNACK = { identifierRejected: 2, unavailable: 3, badCredentials: 4, notAuthorized: 5 } as const;

export interface DoorRefusal {
  readonly code: (typeof CONNACK)[keyof typeof CONNACK];
  /** The reason code in MQTT 5, if it says more. */
  readonly code5?: number;
  readonly why: string;
  /** The kind of refusal, if the code does not say it. */
  readonly as?: Refusal;
}

/** The refusal of a device that is not registered, or whose secret is wrong. */
export const WRONG_CREDENTIALS: DoorRefusal = {
  code: CONNACK.badCredentials,
  why: 'unknown device or wrong secret',
};

/** Decides who may connect. Resolves with the reason for a refusal, or with what is known about the device. */
export type Door = (
  clientId: string,
  user: string | undefined,
  password: Buffer | undefined,
) => Promise<DoorRefusal | Admitted>;

/** Admits any client with a valid client id. Nothing is known about these devices. */
export const openDoor: Door = async (clientId) =>
  badIdentifier(clientId) ?? { elector: { device: clientId, isRegistered: false, isGuest: false } };

/**
 * Admits registered devices and guests: the user name is the device id, the password its secret. The client id must be the
 * device id as well, so that a stolen secret cannot be used to vote as a second device.
 */
export function devicesDoor(registry: Registry, guests: GuestBook): Door {
  return async (clientId, user, password) => {
    const bad = badIdentifier(clientId);
    if (bad) return bad;
    if (user === undefined || password === undefined) {
      return { code: CONNACK.badCredentials, why: 'user name and password are required' };
    }
    if (user !== clientId) {
      return { code: CONNACK.identifierRejected, why: 'the client id must be the same as the user name' };
    }
    return (await authenticate(registry, guests, user, password)) ?? WRONG_CREDENTIALS;
  };
}

function badIdentifier(clientId: string): DoorRefusal | undefined {
  if (isIdentifier(clientId)) return undefined;
  const instead = identifierLike(clientId);
  const hint = instead === undefined ? '' : `; for example ${instead}`;
  return { code: CONNACK.identifierRejected, why: `the client id must be ${IDENTIFIER_RULE}${hint}` };
}

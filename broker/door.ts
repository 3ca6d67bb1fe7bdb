import { whoIs } from '../core/devices/credentials.ts';
import type { GuestBook } from '../core/devices/guest.ts';
import type { Registry } from '../core/store/store.ts';
import type { Elector } from '../core/voting/electorate.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../core/voting/identifier.ts';

/** CONNACK return codes [MQTT-3.2.2.3]. */
export const CONNACK = { identifierRejected: 2, badCredentials: 4, notAuthorized: 5 } as const;

export interface Refusal {
  readonly code: (typeof CONNACK)[keyof typeof CONNACK];
  readonly why: string;
}

/** Who may come in. Resolves with why not, or with what is known of the device. */
export type Door = (
  clientId: string,
  user: string | undefined,
  password: Buffer | undefined,
) => Promise<Refusal | Elector>;

/** Any client id may come in; nothing is known of anybody. */
export const openDoor: Door = async (clientId) =>
  badIdentifier(clientId) ?? { device: clientId, isRegistered: false, isGuest: false };

/**
 * Registered devices and guests may vote: user name = device id, password = its secret, and the client id is bound
 * to it, so that a stolen secret cannot vote as two.
 */
export function devicesDoor(registry: () => Registry, guests: GuestBook): Door {
  return async (clientId, user, password) => {
    const bad = badIdentifier(clientId);
    if (bad) return bad;
    if (user === undefined || password === undefined) {
      return { code: CONNACK.badCredentials, why: 'user name and password are required' };
    }
    if (user !== clientId) {
      return { code: CONNACK.identifierRejected, why: 'the client id must be the same as the user name' };
    }
    const elector = await whoIs(registry(), guests, user, password);
    return elector ?? { code: CONNACK.badCredentials, why: 'unknown device or wrong secret' };
  };
}

function badIdentifier(clientId: string): Refusal | undefined {
  if (isIdentifier(clientId)) return undefined;
  return { code: CONNACK.identifierRejected, why: `the client id must be ${IDENTIFIER_RULE}` };
}

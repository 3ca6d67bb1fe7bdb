import { type Admitted, authenticate, registered } from '../../core/devices/credentials.ts';
import { isGuestId } from '../../core/devices/guests/credential.ts';
import type { GuestBook } from '../../core/devices/guests/guest-book.ts';
import type { ClientCertificate } from '../../core/process/tls/trust.ts';
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
  /** True if the credentials were right once, so that nobody has guessed them. */
  readonly wereRight?: boolean;
}

/** The refusal of a device that is not registered, or whose secret is wrong. */
export const WRONG_CREDENTIALS: DoorRefusal = {
  code: CONNACK.badCredentials,
  why: 'unknown device or wrong secret',
};

const NO_LONGER_VALID: DoorRefusal = {
  code: CONNACK.badCredentials,
  wereRight: true,
  why: 'the guest was revoked, or its credentials have expired',
};
const NOT_REGISTERED: DoorRefusal = {
  code: CONNACK.badCredentials,
  why: 'the certificate is good, but the device that it names is not registered',
};
const NO_CERTIFICATE: DoorRefusal = {
  code: CONNACK.notAuthorized,
  as: 'tls',
  why: 'registered devices need a certificate here (POLLCAST_TLS_CLIENTS=required): connect over TLS with one',
};

/** What a client shows at the door. */
export interface Credentials {
  readonly user: string | undefined;
  readonly password: Buffer | undefined;
  /** Of the TLS connection, already checked. */
  readonly certificate: ClientCertificate | undefined;
}

/** Decides who may connect. Resolves with the reason for a refusal, or with what is known about the device. */
export type Door = (clientId: string, shown: Credentials) => Promise<DoorRefusal | Admitted>;

/** Admits any client with a valid client id, which a certificate must name if there is one. Nothing is known about these devices. */
export const openDoor: Door = async (clientId, { certificate }) =>
  badIdentifier(clientId) ??
  otherName(clientId, certificate) ?? { elector: { device: clientId, isRegistered: false, isGuest: false } };

/**
 * Admits registered devices and guests: the user name is the device id, the password its secret. The client id must be the
 * device id as well, so that a stolen secret cannot be used to vote as a second device. A certificate that names the device stands
 * for user name and password.
 *
 * @param demandsCertificate whether registered devices must have one
 */
export function devicesDoor(registry: Registry, guests: GuestBook, demandsCertificate = false): Door {
  return async (clientId, { user, password, certificate }) => {
    const bad = badIdentifier(clientId) ?? otherName(clientId, certificate);
    if (bad) return bad;
    if (certificate) return (await registered(registry, clientId)) ?? NOT_REGISTERED;
    if (demandsCertificate && !isGuestId(clientId)) return NO_CERTIFICATE;
    if (user === undefined || password === undefined) {
      return { code: CONNACK.badCredentials, why: 'user name and password are required' };
    }
    if (user !== clientId) {
      return { code: CONNACK.identifierRejected, why: 'the client id must be the same as the user name' };
    }
    const admitted = await authenticate(registry, guests, user, password);
    return admitted ?? ((await guests.wasIssued(user, password)) ? NO_LONGER_VALID : WRONG_CREDENTIALS);
  };
}

function badIdentifier(clientId: string): DoorRefusal | undefined {
  if (isIdentifier(clientId)) return undefined;
  const instead = identifierLike(clientId);
  const hint = instead === undefined ? '' : `; for example ${instead}`;
  return { code: CONNACK.identifierRejected, why: `the client id must be ${IDENTIFIER_RULE}${hint}` };
}

/** The refusal of a client that shows the certificate of another one. */
function otherName(clientId: string, certificate: ClientCertificate | undefined): DoorRefusal | undefined {
  if (!certificate || certificate.names.includes(clientId)) return undefined;
  const why = `the client id must be a name in the certificate: ${certificate.names.join(', ') || 'it has none'}`;
  return { code: CONNACK.identifierRejected, as: 'tls', why };
}

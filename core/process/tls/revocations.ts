import type { X509Certificate } from 'node:crypto';
import { fromPem } from '../../certificates/pem.ts';
import { RevocationList } from '../../certificates/revocation-list.ts';

/** What revocation lists say. */
export interface Revocations {
  /** The revoked certificates, by `serialKey`. */
  readonly revoked: ReadonlySet<string>;
  /** When the first of the lists should be replaced, in ms since 1970; undefined if none says so. */
  readonly nextUpdateMs: number | undefined;
}

/** Identifies a certificate. @param issuer its issuer, as Node writes it @param serial in hexadecimal digits */
export function serialKey(issuer: string, serial: string): string {
  return `${issuer}\n${BigInt(`0x${serial}`).toString(16)}`;
}

/**
 * Reads revocation lists in PEM [RFC 5280, 5]. Each must be signed by one of the authorities. A list past its next update still
 * counts, because refusing every device would stop the vote.
 *
 * @throws Error with what is wrong, for the end of a message that names the file
 */
export function readRevocations(pem: string, authorities: readonly X509Certificate[]): Revocations {
  const lists = fromPem('X509 CRL', pem);
  if (lists.length === 0) {
    throw new Error('has no revocation list; expected PEM text that begins with -----BEGIN X509 CRL-----');
  }
  const revoked = new Set<string>();
  let nextUpdateMs: number | undefined;
  for (const [i, der] of lists.entries()) {
    const { list, signers } = read(der, authorities, i + 1);
    const [authority] = signers;
    if (!authority) {
      throw new Error(
        `has a list (number ${i + 1}, of ${list.issuer}) that no authority in POLLCAST_TLS_CA has signed; expected one of theirs`,
      );
    }
    for (const { serial } of list.entries) revoked.add(serialKey(authority.subject, serial));
    if (list.nextUpdateMs !== undefined) nextUpdateMs = Math.min(nextUpdateMs ?? Infinity, list.nextUpdateMs);
  }
  return { revoked, nextUpdateMs };
}

/** A list, and the authorities that have signed it. @throws Error if it cannot be read */
function read(der: Buffer, authorities: readonly X509Certificate[], number: number) {
  try {
    const list = new RevocationList(der);
    return { list, signers: authorities.filter(({ publicKey }) => list.isSignedBy(publicKey)) };
  } catch (error) {
    throw new Error(`has a list (number ${number}) that cannot be read: ${(error as Error).message}`);
  }
}

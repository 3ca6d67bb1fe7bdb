import type { X509Certificate } from 'node:crypto';
import { fromPem } from '../../certificates/pem.ts';
import { loadX509 } from '../../certificates/x509.ts';

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
export async function readRevocations(pem: string, authorities: readonly X509Certificate[]): Promise<Revocations> {
  const lists = fromPem('X509 CRL', pem);
  if (lists.length === 0) {
    throw new Error('has no revocation list; expected PEM text that begins with -----BEGIN X509 CRL-----');
  }
  const x509 = await loadX509();
  const revoked = new Set<string>();
  let nextUpdateMs: number | undefined;
  for (const [i, der] of lists.entries()) {
    let list: InstanceType<typeof x509.X509Crl>;
    try {
      list = new x509.X509Crl(der);
    } catch (error) {
      throw new Error(`has a list (number ${i + 1}) that cannot be read: ${(error as Error).message}`);
    }
    const isBy = (ca: X509Certificate) =>
      list.verify({ publicKey: new x509.X509Certificate(ca.raw).publicKey }).catch(() => false);
    const signed = await Promise.all(authorities.map(isBy));
    const authority = authorities[signed.indexOf(true)];
    if (!authority) {
      throw new Error(
        `has a list (number ${i + 1}, of ${list.issuer}) that no authority in POLLCAST_TLS_CA has signed; expected one of theirs`,
      );
    }
    for (const { serialNumber } of list.entries) revoked.add(serialKey(authority.subject, serialNumber));
    const nextMs = list.nextUpdate?.getTime();
    if (nextMs !== undefined) nextUpdateMs = Math.min(nextUpdateMs ?? nextMs, nextMs);
  }
  return { revoked, nextUpdateMs };
}

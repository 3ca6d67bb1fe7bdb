import type { X509Certificate } from 'node:crypto';
import { serialKey } from './revocations.ts';

/** How many certificates may lie between that of a client and its authority. */
const MAX_BETWEEN = 5;

/** Who a client is by its certificate, and what is needed to find out later whether that is still so. */
export interface ClientCertificate {
  /** Its common names and DNS names: the ids of the devices that it stands for. */
  readonly names: readonly string[];
  /** The SHA-256 fingerprint of the authority that it leads to. */
  readonly authority: string;
  /** The `serialKey` of the certificate, and of each between it and the authority. */
  readonly serials: readonly string[];
}

/** The authorities of client certificates, and what they have revoked. */
export class Trust {
  private readonly authorities: readonly X509Certificate[];
  private readonly revoked: ReadonlySet<string>;

  /** @param revoked by `serialKey` */
  constructor(authorities: readonly X509Certificate[], revoked: ReadonlySet<string>) {
    this.authorities = authorities;
    this.revoked = revoked;
  }

  /**
   * Reads a certificate whose signatures TLS has checked.
   *
   * @returns undefined if it does not lead to an authority, or is revoked
   */
  read(certificate: X509Certificate): ClientCertificate | undefined {
    const serials: string[] = [];
    for (let one: X509Certificate | undefined = certificate; one && serials.length <= MAX_BETWEEN; ) {
      const current: X509Certificate = one;
      serials.push(serialKey(current.issuer, current.serialNumber));
      const authority = this.authorities.find((ca) => current.checkIssued(ca));
      if (authority) {
        const known = { names: namesOf(certificate), authority: authority.fingerprint256, serials };
        return this.isGood(known) ? known : undefined;
      }
      one = current.issuerCertificate;
    }
    return undefined;
  }

  /** False if the certificate has been revoked since it was read, or its authority is no longer trusted. */
  isGood({ authority, serials }: ClientCertificate): boolean {
    const isKnown = this.authorities.some(({ fingerprint256 }) => fingerprint256 === authority);
    return isKnown && !serials.some((serial) => this.revoked.has(serial));
  }
}

/**
 * The common names and DNS names of a certificate. Node quotes names with special characters, so what is in quotes cannot pass for
 * another name, and is left out.
 */
export function namesOf(certificate: X509Certificate): string[] {
  const common = certificate.toLegacyObject().subject?.CN as string | string[] | undefined;
  const alternatives = certificate.subjectAltName ?? '';
  const found = alternatives.matchAll(/(?:^|, )([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/g);
  const dns = [...found].flatMap(([, type, value = '']) => (type === 'DNS' && !value.startsWith('"') ? [value] : []));
  return [...new Set([common ?? [], dns].flat())];
}

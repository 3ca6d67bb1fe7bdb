import { createPrivateKey, KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { derInteger } from './der.ts';
import { fromPem, toPem } from './pem.ts';
import { RevocationList, type RevokedCertificate, signedList, subjectOf } from './revocation-list.ts';
import { loadX509, type X509 } from './x509.ts';

/** Keys and signatures that every TLS library on small devices knows: ECDSA over P-256 with SHA-256. */
const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Certificates begin a day early, because clocks in a hall without internet may be slow. */
const EARLY_MS = DAY_MS;
/** The extension with the number of a revocation list [RFC 5280, 5.2.3]. */
const CRL_NUMBER = '2.5.29.20';

/** A certificate and its private key, both in PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of one’s own, for halls without internet. */
export class Authority {
  readonly issued: Issued;
  /** As Node reads it. */
  readonly certificate: X509Certificate;
  private readonly x509: X509;
  private readonly signingKey: webcrypto.CryptoKey;

  private constructor(x509: X509, issued: Issued, signingKey: webcrypto.CryptoKey) {
    this.x509 = x509;
    this.issued = issued;
    this.certificate = new X509Certificate(issued.certificate);
    this.signingKey = signingKey;
  }

  /** @param name what people call it; phones show it */
  static async make(name: string, days: number): Promise<Authority> {
    const x509 = await loadX509();
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerial(),
      name: [{ CN: [name] }],
      ...validFor(days),
      signingAlgorithm: SIGNATURE,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const issued = { certificate: pemOf(certificate), key: keyPem(keys.privateKey) };
    return new Authority(x509, issued, keys.privateKey);
  }

  /** @throws Error if the key is not one that `make` made */
  static async from(issued: Issued): Promise<Authority> {
    const pkcs8 = createPrivateKey(issued.key).export({ type: 'pkcs8', format: 'der' });
    const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, KEY, false, ['sign']).catch(() => {
      throw new Error('its key is not one that `pollcast certs make` made (ECDSA over P-256)');
    });
    return new Authority(await loadX509(), issued, key);
  }

  /** A certificate for a server. @param names DNS names and IP addresses; the first one names it */
  forServer(names: readonly [string, ...string[]], days: number): Promise<Issued> {
    const { x509 } = this;
    const alternatives = names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
    const extensions = [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
    ];
    return this.issue(names[0], days, extensions);
  }

  /** A certificate for a device, which has its id as the common name. */
  forDevice(device: string, days: number): Promise<Issued> {
    const { x509 } = this;
    return this.issue(device, days, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]);
  }

  /**
   * A revocation list in PEM, valid as long as the authority.
   *
   * @param before the list that it replaces, in PEM, whose entries it keeps
   * @param serials serial numbers in hexadecimal digits
   */
  async revoke(before: string | undefined, serials: readonly string[]): Promise<string> {
    const { x509, certificate } = this;
    const kept = entriesIn(before ?? '');
    const nowMs = Date.now();
    const bySerial = new Map<bigint, RevokedCertificate>();
    for (const entry of [...kept, ...serials.map((serial) => ({ serial, atMs: nowMs }))]) {
      const serial = BigInt(`0x${entry.serial}`);
      if (!bySerial.has(serial)) bySerial.set(serial, entry);
    }
    const extensions = [
      await x509.AuthorityKeyIdentifierExtension.create(new x509.X509Certificate(certificate.raw).publicKey),
      new x509.Extension(CRL_NUMBER, false, derInteger(nowMs.toString(16))),
    ];
    const content = {
      issuer: subjectOf(certificate.raw),
      entries: [...bySerial.values()],
      atMs: nowMs,
      nextUpdateMs: Date.parse(certificate.validTo),
      extensions: extensions.map(({ rawData }) => new Uint8Array(rawData)),
    };
    return toPem('X509 CRL', signedList(content, createPrivateKey(this.issued.key)));
  }

  private async issue(name: string, days: number, more: InstanceType<X509['Extension']>[]): Promise<Issued> {
    const { x509 } = this;
    const keys = await newKeys();
    const authority = new x509.X509Certificate(this.certificate.raw);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: [{ CN: [name] }],
      issuer: authority.subjectName,
      ...validFor(days),
      signingAlgorithm: SIGNATURE,
      publicKey: keys.publicKey,
      signingKey: this.signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
        ...more,
      ],
    });
    return { certificate: pemOf(certificate), key: keyPem(keys.privateKey) };
  }
}

/** The serial numbers in a revocation list, as numbers. @param list in PEM */
export function revokedSerials(list: string): ReadonlySet<bigint> {
  return new Set(entriesIn(list).map(({ serial }) => BigInt(`0x${serial}`)));
}

function entriesIn(list: string) {
  return fromPem('X509 CRL', list).flatMap((der) => new RevocationList(der).entries);
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
}

/** A positive number of 127 random bits. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** From a day ago until `days` from now; a negative number gives a certificate that has expired. */
function validFor(days: number): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  const endMs = nowMs + days * DAY_MS;
  return { notBefore: new Date(Math.min(nowMs, endMs) - EARLY_MS), notAfter: new Date(endMs) };
}

function pemOf({ rawData }: { readonly rawData: ArrayBuffer }): string {
  return toPem('CERTIFICATE', rawData);
}

function keyPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
}

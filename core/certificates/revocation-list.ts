import { type KeyObject, sign, verify } from 'node:crypto';
import { type Der, derElements, derInteger, derTime, TAG, toDer, toDerTime } from './der.ts';

/** How lists are signed, by the bytes of the object identifier in hexadecimal digits: the kind of key, and the hash if there is one. */
const SIGNATURES: Readonly<Record<string, readonly [key: string, hash: string | null]>> = {
  '2a8648ce3d0401': ['ec', 'sha1'],
  '2a8648ce3d040302': ['ec', 'sha256'],
  '2a8648ce3d040303': ['ec', 'sha384'],
  '2a8648ce3d040304': ['ec', 'sha512'],
  '2a864886f70d010105': ['rsa', 'sha1'],
  '2a864886f70d01010b': ['rsa', 'sha256'],
  '2a864886f70d01010c': ['rsa', 'sha384'],
  '2a864886f70d01010d': ['rsa', 'sha512'],
  '2b6570': ['ed25519', null],
  '2b6571': ['ed448', null],
};

/** ECDSA with SHA-256, as an identifier of an algorithm. */
const ECDSA = toDer(TAG.sequence, toDer(TAG.oid, Buffer.from('2a8648ce3d040302', 'hex')));

/** A certificate that was revoked. */
export interface RevokedCertificate {
  /** In hexadecimal digits. */
  readonly serial: string;
  /** When it was revoked, in ms since 1970. */
  readonly atMs: number;
}

/** What a list says. */
interface ListContent {
  /** The distinguished name of the authority, in DER. */
  readonly issuer: Uint8Array;
  readonly entries: readonly RevokedCertificate[];
  /** When it is issued and when it should be replaced, in ms since 1970. */
  readonly atMs: number;
  readonly nextUpdateMs: number;
  /** The extensions, in DER. */
  readonly extensions: readonly Uint8Array[];
}

/**
 * A certificate revocation list [RFC 5280, 5]. The library for certificates takes no more than some 3,000 entries, and 130 ms for
 * 400, and a broker reads lists again while votes arrive.
 */
export class RevocationList {
  readonly entries: readonly RevokedCertificate[];
  /** When it should be replaced, in ms since 1970; undefined if it does not say so. */
  readonly nextUpdateMs: number | undefined;
  /** The names of who issued it, for messages. */
  readonly issuer: string;
  private readonly signed: Buffer;
  private readonly algorithm: string;
  private readonly signature: Buffer;

  /** @throws Error if the bytes are not a list in DER */
  constructor(der: Buffer) {
    const [whole] = derElements(der);
    const [body, algorithm, signature] = [...derElements(sequence(whole).content)];
    const [oid] = algorithm ? [...derElements(algorithm.content)] : [];
    if (!body || oid?.tag !== TAG.oid || signature?.tag !== TAG.bits) throw new Error('it is not signed');
    const fields = [...derElements(sequence(body).content)];
    // A version is not given in lists of version 1.
    if (fields[0]?.tag === TAG.integer) fields.shift();
    const [, issuer, thisUpdate, ...rest] = fields;
    if (!issuer || !thisUpdate) throw new Error('it has no issuer or time');
    derTime(thisUpdate);
    const next = rest[0]?.tag === TAG.utcTime || rest[0]?.tag === TAG.time ? rest.shift() : undefined;
    const revoked = rest[0]?.tag === TAG.sequence ? rest[0] : undefined;
    this.entries = revoked ? [...derElements(revoked.content)].map(entryOf) : [];
    this.nextUpdateMs = next && derTime(next);
    this.issuer = namesIn(issuer);
    this.signed = body.all;
    this.algorithm = oid.content.toString('hex');
    // The first byte is the number of unused bits in the last one: 0 here.
    this.signature = signature.content.subarray(1);
  }

  /** True if it was signed with the private key that belongs to this one. @throws Error if it is signed in a way that is not known */
  isSignedBy(key: KeyObject): boolean {
    const [type, hash] = SIGNATURES[this.algorithm] ?? [];
    if (type === undefined || hash === undefined) {
      throw new Error('it is signed in a way that is not known; expected RSA (PKCS #1), ECDSA, Ed25519 or Ed448');
    }
    return key.asymmetricKeyType === type && verify(hash, this.signed, key, this.signature);
  }
}

/** A list that an authority with a key on a curve signs, in DER. */
export function signedList({ issuer, entries, atMs, nextUpdateMs, extensions }: ListContent, key: KeyObject): Buffer {
  const revoked = entries.map(({ serial, atMs }) => toDer(TAG.sequence, derInteger(serial), toDerTime(atMs)));
  const body = toDer(
    TAG.sequence,
    // Version 2, which has extensions.
    derInteger('1'),
    ...[ECDSA, issuer, toDerTime(atMs), toDerTime(nextUpdateMs)],
    // A list without entries leaves them out [RFC 5280, 5.1.2.6].
    ...(revoked.length === 0 ? [] : [toDer(TAG.sequence, ...revoked)]),
    toDer(TAG.extensions, toDer(TAG.sequence, ...extensions)),
  );
  return toDer(TAG.sequence, body, ECDSA, toDer(TAG.bits, Buffer.of(0), sign('sha256', body, key)));
}

/** The distinguished name that a certificate is for, in DER. @param certificate in DER, of version 3 */
export function subjectOf(certificate: Buffer): Buffer {
  const [whole] = derElements(certificate);
  const [body] = whole ? derElements(whole.content) : [];
  const subject = body && [...derElements(body.content)][5];
  if (!subject) throw new Error('it is not a certificate');
  return subject.all;
}

function entryOf(entry: Der): RevokedCertificate {
  const [serial, at] = [...derElements(sequence(entry).content)];
  if (serial?.tag !== TAG.integer || serial.content.length === 0 || !at)
    throw new Error('an entry has no serial number or time');
  return { serial: serial.content.toString('hex'), atMs: derTime(at) };
}

/** @throws Error if the element is not a sequence */
function sequence(element: Der | undefined): Der {
  if (element?.tag !== TAG.sequence) throw new Error('it is not a revocation list');
  return element;
}

/** The texts in a distinguished name, which is a sequence of sets of sequences of an identifier and a text. */
function namesIn(name: Der): string {
  const sets = [...derElements(name.content)];
  const pairs = sets.flatMap(({ content }) => [...derElements(content)]);
  return pairs.map(({ content }) => [...derElements(content)][1]?.content.toString() ?? '').join(', ');
}

import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/**
 * A process’s key pair (X25519 [RFC 7748]), in memory only. What is sealed for it (HKDF-SHA-256, AES-256-GCM) can be opened by
 * nobody else, also later, whoever recorded it on its way.
 */
export class Recipient {
  /** What others need in order to seal something for this process; one word. */
  readonly address: string;
  private readonly privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    this.privateKey = privateKey;
    this.address = addressOf(publicKey);
  }

  /** @param purpose as given to `sealFor` @returns the text; undefined if the message is damaged or not for this process */
  open(message: string, purpose: string): string | undefined {
    const [sender = '', box = ''] = message.split('.');
    try {
      const bytes = Buffer.from(box, 'base64url');
      const key = sharedKey(this.privateKey, publicKeyAt(sender), purpose);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      const text = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString();
    } catch {
      return undefined;
    }
  }
}

/** Seals a text for a recipient, with a key pair for this message alone. @param purpose must be the same on both sides */
export function sealFor(address: string, text: string, purpose: string): string {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sharedKey(privateKey, publicKeyAt(address), purpose), nonce);
  const box = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return `${addressOf(publicKey)}.${box.toString('base64url')}`;
}

function sharedKey(privateKey: KeyObject, publicKey: KeyObject, purpose: string): Buffer {
  const secret = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', secret, '', `pollcast ${purpose}`, KEY_BYTES));
}

function addressOf(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64url');
}

function publicKeyAt(address: string): KeyObject {
  return createPublicKey({ key: Buffer.from(address, 'base64url'), type: 'spki', format: 'der' });
}

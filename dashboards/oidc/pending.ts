import { randomBytes } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { Registry } from '../../core/store/store.ts';

/** How long a sign-in may take, in seconds. */
const SIGN_IN_SECONDS = 600;
/** The document with the key, in the collection of secrets. */
const KEY = 'signIn';
/** What the cookie is for, so that nothing else that is sealed with the key passes for one. */
const PURPOSE = 'sign-in';

/** A sign-in that has begun. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The part of the operator’s page to return to, such as `#/polls/q`. */
  readonly returnTo: string;
}

/**
 * Keeps what a sign-in has begun with in a sealed cookie of the browser that began it: encrypted and signed with a key in the store
 * (A256GCM), so that every process of a deployment can go on with it, and nobody fills the store by beginning sign-ins.
 */
export class PendingSignIns {
  private readonly registry: Registry;
  private readonly cookie: string;
  private readonly attributes: string;
  private key: Promise<Buffer> | undefined;

  /** @param address the public address of Pollcast */
  constructor(registry: Registry, address: string) {
    this.registry = registry;
    const { protocol, pathname } = new URL(address);
    const isSecure = protocol === 'https:';
    // With this prefix, browsers take the cookie from this host alone [RFC 6265bis], so no other host of the domain can plant one.
    this.cookie = isSecure ? '__Host-pollcast-sign-in' : 'pollcast-sign-in';
    const scope = isSecure ? '/; Secure' : `${pathname.replace(/\/+$/, '')}/api/sign-in`;
    this.attributes = `; HttpOnly; SameSite=Strict; Path=${scope}`;
  }

  /** The header `set-cookie` that keeps a sign-in. @throws StoreError */
  async keep(pending: Pending): Promise<string> {
    const sealed = await new EncryptJWT({ ...pending })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setSubject(PURPOSE)
      .setExpirationTime(`${SIGN_IN_SECONDS}s`)
      .encrypt(await this.sealingKey());
    return `${this.cookie}=${sealed}; Max-Age=${SIGN_IN_SECONDS}${this.attributes}`;
  }

  /** The header `set-cookie` that forgets it. */
  get forget(): string {
    return `${this.cookie}=; Max-Age=0${this.attributes}`;
  }

  /**
   * The sign-in that this browser has begun. Undefined without one, after it has expired, or if several cookies have the name: then
   * somebody else must have planted one. @throws StoreError
   */
  async find(cookies: string | undefined): Promise<Pending | undefined> {
    const pairs = (cookies ?? '').split(';').map((one) => one.trim());
    const own = pairs.filter((one) => one.startsWith(`${this.cookie}=`));
    const sealed = own[0]?.slice(this.cookie.length + 1);
    if (own.length !== 1 || !sealed) return undefined;
    const key = await this.sealingKey();
    const options = {
      ...{ subject: PURPOSE, requiredClaims: ['exp'] },
      ...{ keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
    };
    const found = await jwtDecrypt<Pending>(sealed, key, options).catch(() => undefined);
    if (!found) return undefined;
    const { state, nonce, verifier, returnTo } = found.payload;
    return { state, nonce, verifier, returnTo };
  }

  /** The key, which the first process that needs it chooses. */
  private sealingKey(): Promise<Buffer> {
    this.key ??= this.readKey().catch((error) => {
      this.key = undefined;
      throw error;
    });
    return this.key;
  }

  private async readKey(): Promise<Buffer> {
    await this.registry.put('secrets', KEY, randomBytes(32).toString('base64url'), 0);
    const kept = await this.registry.get<string>('secrets', KEY);
    if (!kept) throw new Error('the key for sign-ins could not be stored');
    return Buffer.from(kept.value, 'base64url');
  }
}

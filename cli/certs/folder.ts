import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Authority, type Issued, revokedSerials } from '../../core/certificates/authority.ts';
import { UsageError } from '../operator/flags.ts';

/** How long in days an authority lasts. */
const AUTHORITY_DAYS = 3_650;

/** A folder with an authority and what it has issued. Everything in it can be read by its owner only. */
export class CertificateFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The path of a file in the folder. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** The authority of the folder. @throws UsageError if there is none */
  async authority(): Promise<Authority> {
    const found = await this.readAuthority();
    if (!found)
      throw new UsageError(`${this.path} has no authority (ca.crt, ca.key); run \`pollcast certs make\` first`);
    return found;
  }

  /** The authority of the folder, or a new one. @param name what people call a new one */
  async authorityOrNew(name: string): Promise<Authority> {
    const found = await this.readAuthority();
    if (found) return found;
    const made = await Authority.make(name, AUTHORITY_DAYS);
    await this.put(made.issued, 'ca');
    await this.write(await made.revoke(undefined, []), 'crl.pem');
    return made;
  }

  /** Writes a certificate and its key as `<name>.crt` and `<name>.key`. */
  async put({ certificate, key }: Issued, ...names: [...string[], string]): Promise<void> {
    const last = names.at(-1) as string;
    const folder = names.slice(0, -1);
    await this.write(key, ...folder, `${last}.key`);
    await this.write(certificate, ...folder, `${last}.crt`);
  }

  /** The certificate of a device; undefined if it has none. */
  async certificateOf(device: string): Promise<X509Certificate | undefined> {
    const text = await this.read('devices', `${device}.crt`);
    return text === undefined ? undefined : new X509Certificate(text);
  }

  async isRevoked({ serialNumber }: X509Certificate): Promise<boolean> {
    const list = await this.read('crl.pem');
    return list !== undefined && revokedSerials(list).has(BigInt(`0x${serialNumber}`));
  }

  /** Adds certificates to the revocation list. */
  async revoke(certificates: readonly X509Certificate[]): Promise<void> {
    const authority = await this.authority();
    const serials = certificates.map(({ serialNumber }) => serialNumber);
    await this.write(await authority.revoke(await this.read('crl.pem'), serials), 'crl.pem');
  }

  /** Replaces a file as a whole, because a server may read it at any time. */
  async write(text: string, ...names: string[]): Promise<void> {
    const path = this.at(...names);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const next = `${path}.new`;
    await writeFile(next, text, { mode: 0o600 });
    await rename(next, path);
  }

  private async readAuthority(): Promise<Authority | undefined> {
    const [certificate, key] = await Promise.all([this.read('ca.crt'), this.read('ca.key')]);
    if (certificate === undefined && key === undefined) return undefined;
    if (certificate === undefined || key === undefined) {
      const lost = certificate === undefined ? 'ca.crt' : 'ca.key';
      throw new UsageError(`${this.at(lost)} is missing; restore it, or choose another folder with --dir`);
    }
    try {
      return await Authority.from({ certificate, key });
    } catch (error) {
      throw new UsageError(`the authority in ${this.path} cannot be used: ${(error as Error).message}`);
    }
  }

  private async read(...names: string[]): Promise<string | undefined> {
    return readFile(this.at(...names), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new UsageError(`${this.at(...names)} cannot be read (${error.code})`);
    });
  }
}

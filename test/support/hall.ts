import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MqttClient } from 'mqtt';
import type { Test } from 'tap';
import { Authority, type Issued } from '../../core/certificates/authority.ts';
import { emptyFolder } from './folder.ts';

/** The certificates of a hall with an authority of its own, in files as `pollcast certs make` writes them. */
export interface Hall {
  readonly authority: Authority;
  /** The certificate of the authority, in PEM. */
  readonly ca: string;
  readonly at: (name: string) => string;
  /** Settings that turn on TLS. */
  readonly server: { readonly tlsCert: string; readonly tlsKey: string };
  /** Settings that turn on mutual TLS, too. */
  readonly mutual: Hall['server'] & { readonly tlsCa: string; readonly tlsCrl: string };
  /** Issues a certificate for a device, as options of a client. */
  device(id: string): Promise<{ readonly cert: string; readonly key: string }>;
  /** Replaces the certificate of the server. @param days negative: one that has expired */
  renew(days?: number): Promise<Issued>;
  /** Adds certificates of devices to the revocation list. */
  revoke(...certificates: string[]): Promise<void>;
  /** Replaces a file as a whole. */
  write(name: string, text: string): void;
}

export async function hall(t: Pick<Test, 'teardown'>): Promise<Hall> {
  const folder = emptyFolder(t);
  const authority = await Authority.make('Authority of a test', 30);
  const at = (name: string) => join(folder, name);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => {
    writeFileSync(at(`${name}.new`), text, { mode: 0o600 });
    renameSync(at(`${name}.new`), at(name));
  };
  const renew = async (days = 30) => {
    const issued = await authority.forServer(['localhost', '127.0.0.1', '::1'], days);
    write('server.key', issued.key);
    write('server.crt', issued.certificate);
    return issued;
  };
  write('ca.crt', authority.issued.certificate);
  write('crl.pem', await authority.revoke(undefined, []));
  await renew();
  const server = { tlsCert: at('server.crt'), tlsKey: at('server.key') };
  return {
    authority,
    ca: authority.issued.certificate,
    at,
    server,
    mutual: { ...server, tlsCa: at('ca.crt'), tlsCrl: at('crl.pem') },
    renew,
    write,
    async device(id) {
      const { certificate: cert, key } = await authority.forDevice(id, 30);
      return { cert, key };
    },
    async revoke(...certificates) {
      const serials = certificates.map((text) => new X509Certificate(text).serialNumber);
      write('crl.pem', await authority.revoke(readFileSync(at('crl.pem'), 'utf8'), serials));
    },
  };
}

/** Resolves when the connection of a client ends. */
export function endOf(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => resolve());
  });
}

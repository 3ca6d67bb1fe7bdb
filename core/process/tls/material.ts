import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { readRevocations } from './revocations.ts';
import { Trust } from './trust.ts';

/** Paths of PEM files; empty if not given. */
export interface TlsFiles {
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
  readonly tlsCrl: string;
}

/** The files in which certificates and lists end, as the metric names them. */
export type Expiring = 'server' | 'authorities' | 'revocations';

/** What TLS needs, read and checked. */
export interface Material {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  /** Who may sign certificates of clients; undefined without `tlsCa`. */
  readonly trust: Trust | undefined;
  /** When the first certificate of each file, or the list, ends, in ms since 1970. */
  readonly endsMs: ReadonlyMap<Expiring, number>;
  /** What an operator should know, although it works. */
  readonly warnings: readonly string[];
}

/** What is wrong with certificates, one problem a line: which setting, which file, and what instead. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
}

/** Reads and checks all files. @throws TlsError listing every problem */
export async function readMaterial({ tlsCert, tlsKey, tlsCa, tlsCrl }: TlsFiles): Promise<Material> {
  const problems: string[] = [];
  const attempt = async <T>(setting: string, path: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return path === '' ? undefined : await work();
    } catch (error) {
      problems.push(`${setting}: ${path} ${(error as Error).message}`);
      return undefined;
    }
  };
  const own = await attempt('POLLCAST_TLS_CERT', tlsCert, () => readCertificates(tlsCert, 'the certificate'));
  const key = await attempt('POLLCAST_TLS_KEY', tlsKey, () => readKey(tlsKey));
  const clients = await attempt('POLLCAST_TLS_CA', tlsCa, async () => {
    const read = await readCertificates(tlsCa, 'the authorities');
    const other = read.all.find(({ ca }) => !ca);
    if (other) throw new Error(`has a certificate that is not of an authority (${oneLine(other.subject)}); remove it`);
    return read;
  });
  const lists = await attempt('POLLCAST_TLS_CRL', tlsCrl, async () =>
    clients ? readRevocations(await readText(tlsCrl), clients.all) : undefined,
  );
  if (own && key && !own.first.checkPrivateKey(key.key)) problems.push(mismatch(own.all, key.key, tlsCert, tlsKey));
  if (problems.length > 0 || !own || !key) throw new TlsError(problems.join('\n'));
  const ends: [Expiring, number | undefined][] = [
    ['server', own.endMs],
    ['authorities', clients?.endMs],
    ['revocations', lists?.nextUpdateMs],
  ];
  return {
    cert: own.text,
    key: key.text,
    ca: clients?.text,
    trust: clients && new Trust(clients.all, lists?.revoked ?? new Set()),
    endsMs: new Map(ends.flatMap(([name, ms]) => (ms === undefined ? [] : [[name, ms] as const]))),
    warnings: key.isOpen
      ? [`every account on this machine can read the private key ${tlsKey}; run chmod o-rwx on it`]
      : [],
  };
}

interface Certificates {
  readonly text: string;
  readonly first: X509Certificate;
  readonly all: readonly X509Certificate[];
  /** When the first of them ends, in ms since 1970. */
  readonly endMs: number;
}

/** @param what for the message that there is nothing of the kind */
async function readCertificates(path: string, what: string): Promise<Certificates> {
  const text = await readText(path);
  const blocks =
    text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  const all = blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(
        `has a certificate (number ${i + 1}) that cannot be read; expected PEM text, as its issuer sent it`,
      );
    }
  });
  const [first] = all;
  if (!first) {
    throw new Error(`does not contain ${what}; expected PEM text that begins with -----BEGIN CERTIFICATE-----`);
  }
  const nowMs = Date.now();
  for (const one of all) {
    const [fromMs, toMs] = [Date.parse(one.validFrom), Date.parse(one.validTo)];
    const name = oneLine(one.subject);
    if (toMs <= nowMs) {
      const renew = '; replace it with a new one, for example by `pollcast certs make`';
      throw new Error(`has expired: the certificate of ${name} was valid until ${day(toMs)}${renew}`);
    }
    if (fromMs > nowMs) {
      throw new Error(
        `is not valid yet: the certificate of ${name} begins on ${day(fromMs)}; check the clock of this machine`,
      );
    }
  }
  return { text, first, all, endMs: Math.min(...all.map(({ validTo }) => Date.parse(validTo))) };
}

async function readKey(path: string): Promise<{ text: string; key: KeyObject; isOpen: boolean }> {
  const text = await readText(path);
  const { mode } = await stat(path);
  if (/ENCRYPTED/.test(text)) {
    throw new Error('is encrypted; expected a key without a passphrase (openssl pkey -in <file> -out <new file>)');
  }
  try {
    return { text, key: createPrivateKey(text), isOpen: (mode & 0o007) !== 0 };
  } catch {
    throw new Error('is not a private key; expected PEM text that begins with -----BEGIN PRIVATE KEY-----');
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint = code === 'EACCES' ? 'let the account that runs Pollcast read it' : 'expected the path of a PEM file';
    throw new Error(`cannot be read (${code}); ${hint}`);
  }
}

function mismatch(all: readonly X509Certificate[], key: KeyObject, cert: string, keyFile: string): string {
  const isLater = all.some((one) => one.checkPrivateKey(key));
  return isLater
    ? `POLLCAST_TLS_CERT: ${cert} begins with another certificate than that of the key ${keyFile}; put the server’s own certificate first, then its issuers`
    : `POLLCAST_TLS_KEY: ${keyFile} is not the key of the certificate in ${cert}; expected the key with which it was requested`;
}

/** A name, as Node writes it, on one line. */
function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}

/** A day as people write it in file names: 2027-01-31. */
export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

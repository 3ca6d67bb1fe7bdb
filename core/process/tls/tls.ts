import { constants } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Server as AnyServer } from 'node:net';
import { type SecureContextOptions, Server, TLSSocket, type TlsOptions } from 'node:tls';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Log } from '../../runtime/log.ts';
import { every } from '../../waiting/pause.ts';
import { day, type Material, readMaterial, type TlsFiles } from './material.ts';
import type { ClientCertificate } from './trust.ts';

/** Interval in ms between looks whether the files have changed. */
const LOOK_EVERY_MS = 100;
/** How long in ms before the end of a certificate operators are warned, once at each start and reload and then daily. */
const SOON_MS = 14 * 86_400_000;
const WARN_EVERY_MS = 86_400_000;
/** Time limit in ms for the handshake of a connection. */
export const HANDSHAKE_LIMIT_MS = 10_000;

interface TlsParts {
  readonly files: TlsFiles & { readonly tlsClients: 'optional' | 'required' };
  readonly metrics: Registry;
  readonly log: Log;
}

/**
 * The certificates of this process. They are read again when a file changes, which is found by looking, because network file systems
 * and mounted secrets report no changes; and on SIGHUP. If what was read is wrong, everything goes on with the last good files.
 */
export class Tls {
  private readonly files: TlsParts['files'];
  private readonly log: Log;
  private readonly servers = new Set<Server>();
  private readonly listeners = new Set<() => void>();
  private readonly halt = new AbortController();
  private readonly reloads: Counter<'outcome'>;
  private readonly failed: Gauge;
  private readonly ends: Gauge<'of'>;
  private material: Material;
  /** What the files looked like when they were last read. */
  private seen: string;
  private reading: Promise<void> = Promise.resolve();
  private isLooking = false;
  private warnedAtMs = Number.NEGATIVE_INFINITY;
  private readonly onSignal = () => void this.reload();

  private constructor({ files, metrics, log }: TlsParts, material: Material, seen: string) {
    this.files = files;
    this.log = log.child({ part: 'tls' });
    this.material = material;
    this.seen = seen;
    const registers = [metrics];
    this.reloads = new Counter({
      name: 'pollcast_tls_reloads_total',
      help: 'How often changed certificates were read, by outcome; after a failure the last good ones are used',
      labelNames: ['outcome'] as const,
      registers,
    });
    for (const outcome of ['ok', 'failed']) this.reloads.inc({ outcome }, 0);
    this.failed = new Gauge({
      name: 'pollcast_tls_reload_failed',
      help: '1 while the files of certificates are wrong, so that the last good ones are used, otherwise 0',
      registers,
    });
    this.ends = new Gauge({
      name: 'pollcast_tls_ends_timestamp_seconds',
      help: 'When the first certificate of the server or of the authorities ends, or the revocation list should be replaced',
      labelNames: ['of'] as const,
      registers,
    });
  }

  /** @throws TlsError listing every problem of the files */
  static async open(parts: TlsParts): Promise<Tls> {
    const seen = await lookAt(parts.files);
    const tls = new Tls(parts, await readMaterial(parts.files), seen);
    tls.accept(tls.material);
    process.on('SIGHUP', tls.onSignal);
    every(LOOK_EVERY_MS, tls.halt.signal, () => void tls.look());
    return tls;
  }

  async close(): Promise<void> {
    this.halt.abort();
    process.off('SIGHUP', this.onSignal);
    await this.reading;
  }

  /** True if registered devices must have a certificate. */
  get demandsClients(): boolean {
    return this.files.tlsClients === 'required';
  }

  /**
   * Options of a server. Certificates of clients are asked for if there are authorities, and checked by `identify`.
   *
   * @param demandsClients whether a connection without a good certificate fails
   */
  serverOptions(demandsClients: boolean): TlsOptions {
    const requestCert = this.material.trust !== undefined;
    const clients = { requestCert, rejectUnauthorized: requestCert && demandsClients };
    return { ...this.context, ...clients, handshakeTimeout: HANDSHAKE_LIMIT_MS };
  }

  /** Gives a server every certificate that is read from now on. A server without TLS is left alone. */
  follow(server: AnyServer): void {
    if (!(server instanceof Server)) return;
    this.servers.add(server);
    server.once('close', () => this.servers.delete(server));
  }

  /** Calls the listener after each reload. */
  onReload(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Who a connection is by its certificate; undefined if it has none.
   *
   * @returns `bad` for a certificate that is not of a known authority, has expired, or is revoked
   */
  identify(socket: object): ClientCertificate | 'bad' | undefined {
    const { trust } = this.material;
    if (!trust || !(socket instanceof TLSSocket)) return undefined;
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return undefined;
    return (socket.authorized && trust.read(certificate)) || 'bad';
  }

  /** False if a certificate has been revoked since, or its authority is no longer trusted. */
  isGood(certificate: ClientCertificate): boolean {
    return this.material.trust?.isGood(certificate) ?? false;
  }

  /** Reads all files again, whether they have changed or not. Resolves when the new ones are used, or found to be wrong. */
  reload(): Promise<void> {
    this.reading = this.reading.then(() => this.readAgain());
    return this.reading;
  }

  private get context(): SecureContextOptions {
    const { cert, key, ca, trust } = this.material;
    // With tickets, a client could resume a connection without being checked again.
    const secureOptions = trust ? constants.SSL_OP_NO_TICKET : 0;
    return { cert, key, ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2', secureOptions };
  }

  private async look(): Promise<void> {
    // A file system that hangs must not gather looks.
    if (this.isLooking) return;
    this.isLooking = true;
    const now = await lookAt(this.files);
    this.isLooking = false;
    if (now !== this.seen && !this.halt.signal.aborted) await this.reload();
    else this.warnOfEnds();
  }

  private async readAgain(): Promise<void> {
    this.seen = await lookAt(this.files);
    try {
      const material = await readMaterial(this.files);
      this.material = material;
      for (const server of this.servers) server.setSecureContext(this.context);
      this.accept(material);
      this.reloads.inc({ outcome: 'ok' });
      this.log.info({ ends: endsOf(material) }, 'certificates were read again');
    } catch (error) {
      this.reloads.inc({ outcome: 'failed' });
      this.failed.set(1);
      const { message } = error as Error;
      this.log.error(
        { problems: message.split('\n') },
        'changed certificates are wrong, so the last good ones are used',
      );
      return;
    }
    for (const listener of this.listeners) listener();
  }

  private accept(material: Material): void {
    this.failed.set(0);
    this.ends.reset();
    for (const [of, ms] of material.endsMs) this.ends.set({ of }, ms / 1_000);
    for (const warning of material.warnings) this.log.warn(warning);
    this.warnedAtMs = Number.NEGATIVE_INFINITY;
    this.warnOfEnds();
  }

  private warnOfEnds(): void {
    const nowMs = Date.now();
    if (nowMs - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = nowMs;
    for (const [of, ms] of this.material.endsMs) {
      if (ms - nowMs > SOON_MS) continue;
      const what =
        of === 'revocations' ? 'the revocation list should be replaced' : 'a certificate ends soon; replace it';
      this.log.warn({ of, ends: day(ms) }, what);
    }
  }
}

function endsOf({ endsMs }: Material): Record<string, string> {
  return Object.fromEntries([...endsMs].map(([of, ms]) => [of, day(ms)]));
}

/** What tells a changed file from the one before: also one that was moved into place, or that a link now leads to. */
async function lookAt({ tlsCert, tlsKey, tlsCa, tlsCrl }: TlsFiles): Promise<string> {
  const looks = [tlsCert, tlsKey, tlsCa, tlsCrl].map(async (path) => {
    if (path === '') return '';
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'gone';
  });
  return (await Promise.all(looks)).join('\n');
}

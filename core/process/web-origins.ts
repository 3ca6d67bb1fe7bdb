import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../runtime/host.ts';

interface WebOriginOptions {
  /** The address on which this process listens. */
  readonly host: string;
  /** Whom brokers admit. */
  readonly door: 'open' | 'devices';
  readonly publicUrl: string;
  readonly embedOrigins: readonly string[];
}

/**
 * Which web pages may use this process. At an open door on a loopback address, every page that is open in a browser on this
 * machine could vote: directly, or under a name of its own that it points to this machine (DNS rebinding). So a request has to name
 * this machine as its host, and come from a page of this machine. Everywhere else, voting needs credentials, or anybody on the
 * network may vote anyway.
 */
export class WebOrigins {
  private readonly isGuarded: boolean;
  private readonly known: ReadonlySet<string>;

  constructor({ host, door, publicUrl, embedOrigins }: WebOriginOptions) {
    this.isGuarded = door === 'open' && isLoopback(host);
    this.known = new Set([publicUrl, ...embedOrigins].filter((url) => url !== '').map((url) => new URL(url).host));
  }

  /** Why a request is refused, as a sentence; undefined if it is not. */
  problem({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
    if (!this.isGuarded) return undefined;
    const { host = '', origin } = headers;
    const named = !this.isKnown(`http://${host}`)
      ? `names the host ${host}`
      : origin !== undefined && !this.isKnown(origin)
        ? `comes from a page of ${origin}`
        : undefined;
    if (named === undefined) return undefined;
    return `this request ${named}; while anybody on this machine may vote without credentials, only pages of this machine are served (use http://127.0.0.1 or http://localhost, set POLLCAST_PUBLIC_URL or POLLCAST_EMBED_ORIGINS, or admit only devices with POLLCAST_DOOR=devices)`;
  }

  private isKnown(origin: string): boolean {
    if (!URL.canParse(origin)) return false;
    const { host, hostname } = new URL(origin);
    return isLoopback(hostname) || this.known.has(host);
  }
}

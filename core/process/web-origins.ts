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
  /** The origins of known sites, and what their requests may name as the host. */
  private readonly origins: ReadonlySet<string>;
  private readonly hosts: ReadonlySet<string>;

  constructor({ host, door, publicUrl, embedOrigins }: WebOriginOptions) {
    this.isGuarded = door === 'open' && isLoopback(host);
    const known = [publicUrl, ...embedOrigins].filter((url) => url !== '').map((url) => new URL(url));
    this.origins = new Set(known.map(({ origin }) => origin));
    this.hosts = new Set(known.map(({ host }) => host));
  }

  /** Why a request is refused, as a sentence; undefined if it is not. */
  problem({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
    if (!this.isGuarded) return undefined;
    const { host, origin } = headers;
    // Only HTTP/1.0 can do without a host, which no browser speaks.
    const named =
      host !== undefined && !this.isKnownHost(host)
        ? `names the host ${host}`
        : origin !== undefined && !this.isKnownOrigin(origin)
          ? `comes from a page of ${origin}`
          : undefined;
    if (named === undefined) return undefined;
    return `this request ${named}; while anybody on this machine may vote without credentials, only pages of this machine are served (use http://127.0.0.1 or http://localhost, set POLLCAST_PUBLIC_URL or POLLCAST_EMBED_ORIGINS, or admit only devices with POLLCAST_DOOR=devices)`;
  }

  /** The Host header does not say by which scheme a proxy was asked, so either default port may have been left out. */
  private isKnownHost(host: string): boolean {
    return ['http', 'https'].some((scheme) => {
      const url = parse(`${scheme}://${host}`);
      return url !== undefined && (isThisMachine(url.hostname) || this.hosts.has(url.host));
    });
  }

  private isKnownOrigin(text: string): boolean {
    const url = parse(text);
    return url !== undefined && (isThisMachine(url.hostname) || this.origins.has(url.origin));
  }
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

/**
 * True for every name and address that browsers resolve to this machine [RFC 6761, 6.3].
 *
 * @param host as `URL.hostname` has it: lower case, IPv4 addresses inside IPv6 in hexadecimal digits
 */
function isThisMachine(host: string): boolean {
  const name = host.replace(/\.$/, '');
  return isLoopback(name) || name.endsWith('.localhost') || /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(name);
}

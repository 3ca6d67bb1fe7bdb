import type { RedisOptions } from 'ioredis';
import { inUrl } from '../runtime/host.ts';

/** A host and its port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and how to connect to it. */
export interface RedisAddress {
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  /** The server, or the sentinels or cluster nodes to contact first. */
  readonly endpoints: readonly Endpoint[];
  /** The name that sentinels know the primary by. */
  readonly primary?: string | undefined;
  readonly options: Pick<
    RedisOptions,
    'username' | 'password' | 'db' | 'tls' | 'sentinelUsername' | 'sentinelPassword'
  >;
}

/** How to sign in to the sentinels; empty if they ask for nothing. */
export interface SentinelCredentials {
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

const MODES = {
  redis: ['standalone', false],
  rediss: ['standalone', true],
  'redis-sentinel': ['sentinel', false],
  'rediss-sentinel': ['sentinel', true],
  'redis-cluster': ['cluster', false],
  'rediss-cluster': ['cluster', true],
} as const;

/** The accepted forms of an address, for error messages. */
export const ADDRESS_RULE =
  'redis://[user:password@]host[:port][/database], redis-sentinel://host:port,host:port/primary or redis-cluster://host:port,host:port (rediss… for TLS)';

/**
 * Parses an address such as `redis://:secret@10.0.0.5:6379/0`, `redis-sentinel://a:26379,b:26379/mymaster` or
 * `redis-cluster://a:6379,b:6379`. Its credentials are those of Redis; sentinels have their own. @throws Error whose message
 * describes the expected forms
 */
export function parseAddress(text: string, sentinels: SentinelCredentials = {}): RedisAddress {
  const parts = /^([a-z-]+):\/\/(?:([^@/]*)@)?([^@/]+)(?:\/([^/]*))?$/.exec(text);
  const [, scheme = '', credentials, hosts = '', path = ''] = parts ?? [];
  if (!Object.hasOwn(MODES, scheme)) throw new Error(ADDRESS_RULE);
  const [mode, isSecure] = MODES[scheme as keyof typeof MODES];
  const endpoints = hosts.split(',').map((host) => endpointOf(host, mode === 'sentinel' ? 26_379 : 6_379));
  if (mode === 'standalone' && endpoints.length > 1) throw new Error(ADDRESS_RULE);
  if (mode === 'sentinel' && path === '') throw new Error(ADDRESS_RULE);
  if (mode === 'cluster' && path !== '') throw new Error(`${ADDRESS_RULE}; a cluster has no databases`);
  if (mode === 'standalone' && !/^\d*$/.test(path)) throw new Error(ADDRESS_RULE);
  const [user, ...password] = credentials?.split(':').map(decodeURIComponent) ?? [];
  return {
    mode,
    endpoints,
    primary: mode === 'sentinel' ? path : undefined,
    options: {
      ...(user ? { username: user } : {}),
      ...(password.length > 0 ? { password: password.join(':') } : {}),
      ...(mode === 'standalone' && path !== '' ? { db: Number(path) } : {}),
      ...(isSecure ? { tls: {} } : {}),
      ...(sentinels.sentinelUsername ? { sentinelUsername: sentinels.sentinelUsername } : {}),
      ...(sentinels.sentinelPassword ? { sentinelPassword: sentinels.sentinelPassword } : {}),
    },
  };
}

/** The address without its credentials, for logs and messages. */
export function describeAddress({ mode, endpoints }: RedisAddress): string {
  const hosts = endpoints.map(({ host, port }) => `${inUrl(host)}:${port}`).join(', ');
  return mode === 'standalone' ? `Redis at ${hosts}` : `Redis ${mode} at ${hosts}`;
}

function endpointOf(text: string, fallbackPort: number): Endpoint {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? fallbackPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) throw new Error(ADDRESS_RULE);
  return { host, port: number };
}

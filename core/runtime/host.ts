import { isIPv6 } from 'node:net';

/** A host as it is written in a URL or before a port: IPv6 addresses are in brackets. */
export function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

import { isIPv4, isIPv6 } from 'node:net';

/** A host as it is written in a URL or before a port: IPv6 addresses are in brackets. */
export function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** True for names and addresses that only this machine can reach. An IPv6 address may be in brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

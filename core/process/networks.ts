import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Addresses and networks, such as those of proxies. */
export class Networks {
  private readonly list = new BlockList();
  private readonly isEmpty: boolean;

  /** @param networks addresses, or networks as `10.0.0.0/8` */
  constructor(networks: readonly string[]) {
    this.isEmpty = networks.length === 0;
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = familyOf(address);
      if (bits === undefined) this.list.addAddress(address, family);
      else this.list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string | undefined): boolean {
    // Most deployments name none, and a look into the list costs a connection more than anything else about its address.
    if (this.isEmpty) return false;
    const plain = plainAddress(address);
    return isIP(plain) > 0 && this.list.check(plain, familyOf(plain));
  }
}

/** What a request says about where it comes from. */
interface Sender {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/**
 * The address that a request comes from. Each trusted proxy adds to X-Forwarded-For the address that it was asked from, so the last
 * one there that is no proxy’s is the client’s; what is before it may be invented.
 *
 * @returns undefined if the client has already disconnected
 */
export function clientAddress({ socket, headers }: Sender, proxies: Networks): string | undefined {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  let address = socket.remoteAddress;
  while (address !== undefined && proxies.has(address)) {
    const before = forwarded.pop()?.trim() ?? '';
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/**
 * The network by which limits per address count a client: one address of IPv4, but 64 bits of IPv6, because every customer of a
 * provider has at least so many addresses.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  const all = tail === undefined ? first : [...first, ...zeros, ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Who is limited together in HTTP: a network, or everybody whose address is not known, such as what a broken proxy sends. */
export function callerOf(address: string | undefined): string {
  return address !== undefined && isIP(plainAddress(address)) > 0 ? networkOf(address) : 'unknown';
}

/** A socket that also accepts IPv6 has IPv4 addresses as `::ffff:10.0.0.7`, and local ones name the interface (`fe80::1%eth0`). */
function plainAddress(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*/, '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

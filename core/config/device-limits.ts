import { whole } from './parsers.ts';

/** Settings that limit what devices may do, so that no few of them take what all need. */
export const deviceLimits = {
  maxConnectionsPerAddress: {
    variable: 'POLLCAST_MAX_CONNECTIONS_PER_ADDRESS',
    fallback: '',
    description:
      'maximum number of concurrent MQTT connections from one address, such as that of a hall behind NAT; if empty, four fifths of POLLCAST_MAX_CONNECTIONS',
    parse: (value: string) => (value === '' ? undefined : whole(value, 1, 1_000_000)),
  },
  connectsPerSecond: {
    variable: 'POLLCAST_CONNECTS_PER_SECOND',
    fallback: '2000',
    description:
      'how many devices from one address may connect per second, and twice as many at once; further ones wait and are then refused; 0: any number',
    parse: (value: string) => whole(value, 0, 1_000_000),
  },
  votesPerSecond: {
    variable: 'POLLCAST_VOTES_PER_SECOND',
    fallback: '1000',
    description:
      'how many votes per second are taken from one device; further ones are rejected (too-fast); 0: any number',
    parse: (value: string) => whole(value, 0, 1_000_000),
  },
  votesAtOnce: {
    variable: 'POLLCAST_VOTES_AT_ONCE',
    fallback: '5000',
    description: 'how many votes a device may send at once, after it has sent fewer than POLLCAST_VOTES_PER_SECOND',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  maxKeepAliveSeconds: {
    variable: 'POLLCAST_MAX_KEEP_ALIVE_SECONDS',
    fallback: '3600',
    description:
      'maximum keep alive of a device, also for one that asks for none: it is disconnected after one and a half times as many seconds of silence; 0: no limit',
    parse: (value: string) => whole(value, 0, 65_535),
  },
} as const;

import { isIP } from 'node:net';
import { parseAddress } from '../store/redis-address.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../voting/identifier.ts';
import { MAX_PARTITIONS } from '../voting/partition.ts';

/** One thing that can be configured: by an environment variable, or by the flag of the same name. */
export interface Setting<T> {
  /** The environment variable; the flag is derived from it (`POLLCAST_MQTT_PORT` → `--mqtt-port`). */
  readonly variable: string;
  readonly fallback: string;
  readonly about: string;
  /** The value in `text`. @throws Error whose message says what is expected */
  readonly parse: (text: string) => T;
}

const port = (text: string): number => whole(text, 0, 65535);
const text = (value: string): string => value;

function whole(value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) throw new Error(`a whole number from ${min} to ${max}`);
  return number;
}

function oneOf<T extends string>(...names: readonly T[]): (value: string) => T {
  return (value) => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new Error(`one of ${names.filter((name) => name !== '').join(', ')}`);
    return found;
  };
}

function identifier(value: string): string {
  if (!isIdentifier(value)) throw new Error(IDENTIFIER_RULE);
  return value;
}

function influxUrl(value: string): string {
  if (value === '') return value;
  const isRight = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (!isRight || !isIdentifier(new URL(value).pathname.slice(1))) {
    throw new Error('http://[user:password@]host[:port]/database');
  }
  return value;
}

/** An origin or the beginning of one's addresses, without a slash at the end. */
function webAddress(value: string): string {
  if (value === '') return value;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) throw new Error('https://votes.example.org');
  return value.replace(/\/+$/, '');
}

function origins(value: string): string[] {
  const all = value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const isOrigin = (one: string) => URL.canParse(one) && new URL(one).origin === one && one !== 'null';
  if (!all.every(isOrigin))
    throw new Error('origins such as https://www.example.org, separated by commas, without a path');
  return all;
}

function networks(value: string): string[] {
  const all = value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const isNetwork = (text: string) => {
    const [address = '', bits] = text.split('/');
    const most = isIP(address) === 6 ? 128 : 32;
    return isIP(address) > 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most));
  };
  if (!all.every(isNetwork)) throw new Error('addresses or networks such as 10.0.0.7 or 10.0.0.0/8');
  return all;
}

function token(value: string): string {
  if (value !== '' && value.length < 16) throw new Error('at least 16 characters, so that it cannot be guessed');
  return value;
}

/** Every setting of `pollcast up`, in the order the help lists them. */
export const settings = {
  host: {
    variable: 'POLLCAST_HOST',
    fallback: '127.0.0.1',
    about: 'address to listen on, for MQTT and HTTP; 0.0.0.0 for every network',
    parse: text,
  },
  mqttPort: { variable: 'POLLCAST_MQTT_PORT', fallback: '1883', about: 'MQTT over TCP', parse: port },
  httpPort: {
    variable: 'POLLCAST_HTTP_PORT',
    fallback: '8080',
    about: 'pages, API, result streams, and MQTT over WebSocket at /mqtt',
    parse: port,
  },
  dataDir: { variable: 'POLLCAST_DATA_DIR', fallback: 'data', about: 'where votes and results are kept', parse: text },
  operatorToken: {
    variable: 'POLLCAST_OPERATOR_TOKEN',
    fallback: '',
    about: 'what operators sign in with; when empty, one is made and kept in the data directory',
    parse: token,
  },
  door: {
    variable: 'POLLCAST_DOOR',
    fallback: '',
    about: 'who may vote: open (any client id) or devices (registered ones); open by default on loopback only',
    parse: oneOf('', 'open', 'devices'),
  },
  partitions: {
    variable: 'POLLCAST_PARTITIONS',
    fallback: '4',
    about: 'vote logs to spread devices over; fixed at the first start',
    parse: (value: string) => whole(value, 1, MAX_PARTITIONS),
  },
  redisUrl: {
    variable: 'POLLCAST_REDIS_URL',
    fallback: '',
    about:
      'Redis that all processes share: redis://…, redis-sentinel://… or redis-cluster://…; when empty, one process keeps everything in the data directory',
    parse: (value: string) => {
      if (value !== '') parseAddress(value);
      return value;
    },
  },
  redisPrefix: {
    variable: 'POLLCAST_REDIS_PREFIX',
    fallback: 'pollcast',
    about: 'begins every key in Redis; deployments with different ones can share a Redis',
    parse: identifier,
  },
  durability: {
    variable: 'POLLCAST_DURABILITY',
    fallback: 'append',
    about:
      'what an acknowledgement waits for in Redis: append (written), fsync (on the disk), replicated (on replicas)',
    parse: oneOf('append', 'fsync', 'replicated'),
  },
  replicas: {
    variable: 'POLLCAST_REPLICAS',
    fallback: '1',
    about: 'how many replicas must have a vote before it is acknowledged, with replicated durability',
    parse: (value: string) => whole(value, 1, 10),
  },
  influxUrl: {
    variable: 'POLLCAST_INFLUX_URL',
    fallback: '',
    about:
      'InfluxDB for the time series: http://[user:password@]host:8086/database; when empty, they are kept with the votes (one process) or not at all',
    parse: influxUrl,
  },
  retentionDays: {
    variable: 'POLLCAST_RETENTION_DAYS',
    fallback: '90',
    about: 'how long the vote log of a closed round is kept for a recount; 0: for ever',
    parse: (value: string) => whole(value, 0, 36_500),
  },
  workers: {
    variable: 'POLLCAST_WORKERS',
    fallback: '1',
    about: 'broker processes on one MQTT port (only `pollcast broker`); each has its own HTTP port, counting up',
    parse: (value: string) => whole(value, 1, 64),
  },
  publicUrl: {
    variable: 'POLLCAST_PUBLIC_URL',
    fallback: '',
    about:
      'where phones reach the pages, as https://votes.example.org; for QR codes; when empty, where the screen does',
    parse: webAddress,
  },
  embedOrigins: {
    variable: 'POLLCAST_EMBED_ORIGINS',
    fallback: '',
    about: 'origins of other sites that may show results, separated by commas, as https://www.example.org',
    parse: origins,
  },
  trustedProxies: {
    variable: 'POLLCAST_TRUSTED_PROXIES',
    fallback: '',
    about:
      'addresses or networks of proxies, separated by commas, that are believed who they speak for (X-Forwarded-For)',
    parse: networks,
  },
  maxConnections: {
    variable: 'POLLCAST_MAX_CONNECTIONS',
    fallback: '20000',
    about: 'MQTT connections at the same time; more are refused',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  maxViewers: {
    variable: 'POLLCAST_MAX_VIEWERS',
    fallback: '10000',
    about: 'result streams at the same time; more are answered 503',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  logLevel: {
    variable: 'POLLCAST_LOG_LEVEL',
    fallback: 'info',
    about: 'trace, debug, info, warn, error or silent',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
  },
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof settings;

/** `POLLCAST_MQTT_PORT` → `--mqtt-port` */
export function flagOf(variable: string): string {
  return `--${variable.replace('POLLCAST_', '').toLowerCase().replaceAll('_', '-')}`;
}

import { MAX_GUEST_HOURS } from '../devices/guests/credential.ts';
import { parseAddress } from '../store/redis-address.ts';
import { MAX_PARTITIONS } from '../voting/count/partition.ts';
import { deviceLimits } from './device-limits.ts';
import { oidcSettings } from './oidc-settings.ts';
import {
  identifier,
  influxUrl,
  networks,
  oneOf,
  optionalPort,
  origins,
  port,
  portOrOff,
  text,
  token,
  webAddress,
  whole,
} from './parsers.ts';

/** A setting, given as an environment variable or as the flag derived from it. */
export interface Setting<T> {
  /** The environment variable; the flag is derived from it (`POLLCAST_MQTT_PORT` → `--mqtt-port`). */
  readonly variable: string;
  readonly fallback: string;
  readonly description: string;
  /** Parses `text`. @throws Error whose message describes the expected value */
  readonly parse: (text: string) => T;
}

/** All settings of the server processes, in the order in which the help lists them. */
export const environmentSettings = {
  host: {
    variable: 'POLLCAST_HOST',
    fallback: '127.0.0.1',
    description: 'address to listen on for MQTT and HTTP; 0.0.0.0 listens on all interfaces',
    parse: text,
  },
  mqttPort: {
    variable: 'POLLCAST_MQTT_PORT',
    fallback: '1883',
    description: 'port for MQTT over TCP, without TLS; off with TLS, if all devices can use it',
    parse: portOrOff,
  },
  httpPort: {
    variable: 'POLLCAST_HTTP_PORT',
    fallback: '8080',
    description: 'port for pages, the API, result streams, and MQTT over WebSocket at /mqtt',
    parse: port,
  },
  mqttsPort: {
    variable: 'POLLCAST_MQTTS_PORT',
    fallback: '8883',
    description: 'port for MQTT over TLS, if POLLCAST_TLS_CERT is set',
    parse: port,
  },
  tlsCert: {
    variable: 'POLLCAST_TLS_CERT',
    fallback: '',
    description:
      'PEM file with the certificate of this server, followed by those of its issuers; turns on TLS: HTTPS on POLLCAST_HTTP_PORT, and MQTT on POLLCAST_MQTTS_PORT. All files of certificates are read again when they change, and on SIGHUP',
    parse: text,
  },
  tlsKey: {
    variable: 'POLLCAST_TLS_KEY',
    fallback: '',
    description: 'PEM file with the private key of POLLCAST_TLS_CERT, without a passphrase',
    parse: text,
  },
  tlsCa: {
    variable: 'POLLCAST_TLS_CA',
    fallback: '',
    description: 'PEM file with the authorities whose certificates identify devices (mutual TLS)',
    parse: text,
  },
  tlsCrl: {
    variable: 'POLLCAST_TLS_CRL',
    fallback: '',
    description: 'PEM file with the revocation lists of the authorities in POLLCAST_TLS_CA',
    parse: text,
  },
  tlsClients: {
    variable: 'POLLCAST_TLS_CLIENTS',
    fallback: 'optional',
    description:
      'with POLLCAST_TLS_CA, whether registered devices need a certificate: optional (or else their secret) or required',
    parse: oneOf('optional', 'required'),
  },
  opsPort: {
    variable: 'POLLCAST_OPS_PORT',
    fallback: '',
    description:
      'port for monitoring (/metrics, /health, /ready); if set, there is no /metrics on POLLCAST_HTTP_PORT, which strangers can reach',
    parse: optionalPort,
  },
  opsHost: {
    variable: 'POLLCAST_OPS_HOST',
    fallback: '',
    description: 'address to listen on for monitoring, if POLLCAST_OPS_PORT is set; if empty, POLLCAST_HOST',
    parse: text,
  },
  dataDir: {
    variable: 'POLLCAST_DATA_DIR',
    fallback: 'data',
    description:
      'directory in which votes and results are stored; with Redis, only the keys of open secret rounds, which Redis never gets',
    parse: text,
  },
  operatorToken: {
    variable: 'POLLCAST_OPERATOR_TOKEN',
    fallback: '',
    description:
      'token that operators sign in with; if empty, one is generated at the first start and stored with the data',
    parse: token,
  },
  ...oidcSettings,
  door: {
    variable: 'POLLCAST_DOOR',
    fallback: '',
    description:
      'who may vote: open (any client) or devices (registered devices and guests); defaults to open if POLLCAST_HOST is a loopback address, otherwise it must be set',
    parse: oneOf('', 'open', 'devices'),
  },
  partitions: {
    variable: 'POLLCAST_PARTITIONS',
    fallback: '4',
    description: 'number of partitions of the vote log, across which devices are spread; fixed at the first start',
    parse: (value: string) => whole(value, 1, MAX_PARTITIONS),
  },
  redisUrl: {
    variable: 'POLLCAST_REDIS_URL',
    fallback: '',
    description:
      'Redis shared by all processes: redis://…, redis-sentinel://… or redis-cluster://…; if empty, a single process stores everything in the data directory',
    parse: (value: string) => {
      if (value !== '') parseAddress(value);
      return value;
    },
  },
  redisPrefix: {
    variable: 'POLLCAST_REDIS_PREFIX',
    fallback: 'pollcast',
    description: 'prefix of all keys in Redis; deployments with different prefixes can share one Redis',
    parse: identifier,
  },
  sentinelUsername: {
    variable: 'POLLCAST_SENTINEL_USERNAME',
    fallback: '',
    description:
      'user name for the sentinels, if they have users; the credentials in POLLCAST_REDIS_URL are those of Redis',
    parse: text,
  },
  sentinelPassword: {
    variable: 'POLLCAST_SENTINEL_PASSWORD',
    fallback: '',
    description: 'password for the sentinels, if they ask for one',
    parse: text,
  },
  startWaitSeconds: {
    variable: 'POLLCAST_START_WAIT_SECONDS',
    fallback: '30',
    description:
      'how long in seconds a start waits for a Redis that does not answer or is still loading; 0: not at all',
    parse: (value: string) => whole(value, 0, 3_600),
  },
  durability: {
    variable: 'POLLCAST_DURABILITY',
    fallback: 'append',
    description:
      'what must have happened in Redis before a vote is acknowledged: append (written), fsync (synced to disk) or replicated (copied to replicas)',
    parse: oneOf('append', 'fsync', 'replicated'),
  },
  replicas: {
    variable: 'POLLCAST_REPLICAS',
    fallback: '1',
    description: 'with durability replicated, the number of replicas that must have a vote before it is acknowledged',
    parse: (value: string) => whole(value, 1, 10),
  },
  influxUrl: {
    variable: 'POLLCAST_INFLUX_URL',
    fallback: '',
    description:
      'InfluxDB for the time series: http://[user:password@]host:8086/database; if empty, they are stored in the data directory (single process) or not at all (with Redis)',
    parse: influxUrl,
  },
  retentionDays: {
    variable: 'POLLCAST_RETENTION_DAYS',
    fallback: '90',
    description: 'number of days for which the vote log of a closed round is kept for recounts; 0 keeps it for ever',
    parse: (value: string) => whole(value, 0, 36_500),
  },
  workers: {
    variable: 'POLLCAST_WORKERS',
    fallback: '1',
    description:
      'number of broker processes that share the MQTT port (`pollcast broker` only); their HTTP ports count up from POLLCAST_HTTP_PORT, and those for monitoring from POLLCAST_OPS_PORT',
    parse: (value: string) => whole(value, 1, 64),
  },
  publicUrl: {
    variable: 'POLLCAST_PUBLIC_URL',
    fallback: '',
    description:
      'address of the pages for phones, used in QR codes, such as https://votes.example.org, or https://www.example.org/votes behind a proxy that serves them there; if empty, QR codes use the address at which the screen was opened',
    parse: webAddress,
  },
  embedOrigins: {
    variable: 'POLLCAST_EMBED_ORIGINS',
    fallback: '',
    description: 'comma-separated origins of other sites that may embed results, such as https://www.example.org',
    parse: origins,
  },
  trustedProxies: {
    variable: 'POLLCAST_TRUSTED_PROXIES',
    fallback: '',
    description: 'comma-separated addresses or networks of proxies whose X-Forwarded-For header is trusted',
    parse: networks,
  },
  proxyProtocolFrom: {
    variable: 'POLLCAST_PROXY_PROTOCOL_FROM',
    fallback: '',
    description:
      'comma-separated addresses or networks of proxies that begin each connection to the MQTT port with the PROXY protocol (version 1 or 2); it is refused from all others',
    parse: networks,
  },
  webSocketPingSeconds: {
    variable: 'POLLCAST_WEBSOCKET_PING_SECONDS',
    fallback: '25',
    description:
      'interval in seconds at which MQTT clients on WebSockets are pinged; shorter than the idle time after which proxies close connections',
    parse: (value: string) => whole(value, 1, 3_600),
  },
  sessionSeconds: {
    variable: 'POLLCAST_SESSION_SECONDS',
    fallback: '604800',
    description:
      'number of seconds for which the session of a device is kept after it disconnects: with clean session 0, or in MQTT 5 at most',
    parse: (value: string) => whole(value, 1, 31_536_000),
  },
  guestHours: {
    variable: 'POLLCAST_GUEST_HOURS',
    fallback: '168',
    description: 'number of hours for which a guest may vote after joining; then the phone joins again, as a new guest',
    parse: (value: string) => whole(value, 1, MAX_GUEST_HOURS),
  },
  guestsPerAddress: {
    variable: 'POLLCAST_GUESTS_PER_ADDRESS',
    fallback: '100',
    description:
      'number of guests that may join a room from one address at once, unless the operator expects another number there; further phones first have to compute something for about a second',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  mqttReasons: {
    variable: 'POLLCAST_MQTT_REASONS',
    fallback: 'on',
    description:
      'whether acknowledgements in MQTT 5 say why a vote was refused: on or off (they always say success, for clients that treat a reason as an error of the connection)',
    parse: oneOf('on', 'off'),
  },
  maxConnections: {
    variable: 'POLLCAST_MAX_CONNECTIONS',
    fallback: '20000',
    description: 'maximum number of concurrent MQTT connections; further ones are refused',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  ...deviceLimits,
  maxViewers: {
    variable: 'POLLCAST_MAX_VIEWERS',
    fallback: '10000',
    description: 'maximum number of concurrent result streams; further requests get status 503',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  maxViewersPerAddress: {
    variable: 'POLLCAST_MAX_VIEWERS_PER_ADDRESS',
    fallback: '0',
    description:
      'maximum number of concurrent result streams from one address, such as that of a hall’s router; further requests get status 429; 0: half of POLLCAST_MAX_VIEWERS',
    parse: (value: string) => whole(value, 0, 1_000_000),
  },
  requestsPerSecond: {
    variable: 'POLLCAST_REQUESTS_PER_SECOND',
    fallback: '300',
    description:
      'number of requests to the API per second from one address, such as that of a hall’s router, and ten times as many at once; further ones get status 429',
    parse: (value: string) => whole(value, 1, 1_000_000),
  },
  logLevel: {
    variable: 'POLLCAST_LOG_LEVEL',
    fallback: 'info',
    description: 'trace, debug, info, warn, error or silent',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
  },
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof environmentSettings;

/** `POLLCAST_MQTT_PORT` → `--mqtt-port` */
export function flagOf(variable: string): string {
  return `--${variable.replace('POLLCAST_', '').toLowerCase().replaceAll('_', '-')}`;
}

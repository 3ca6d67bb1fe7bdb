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

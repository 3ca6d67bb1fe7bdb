import { isLoopback } from '../runtime/host.ts';
import { oidcProblems } from './oidc-settings.ts';
import { environmentSettings, flagOf, type SettingName } from './settings.ts';

type Values = { [Name in SettingName]: ReturnType<(typeof environmentSettings)[Name]['parse']> };

/** The validated configuration of a server process. */
export type Config = Omit<Values, 'door'> & { readonly door: 'open' | 'devices' };

/** The variable with the API address for operator commands. The server does not use it, but must not report it as unknown. */
export const API_VARIABLE = 'POLLCAST_API';

/** All problems of a configuration, reported together so that they can be fixed in one go. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the configuration. Flags take precedence over environment variables, which take precedence over defaults.
 *
 * @param flags values by setting name, as given on the command line
 * @param environment usually `process.env`; unknown variables that begin with POLLCAST_ are reported as problems
 * @throws ConfigError listing every problem
 */
export function readConfig(
  flags: Readonly<Partial<Record<SettingName, string>>>,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const problems: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, { variable, fallback, parse }] of Object.entries(environmentSettings)) {
    const flag = flags[name as SettingName];
    const text = flag ?? environment[variable] ?? fallback;
    try {
      values[name as SettingName] = parse(text.trim());
    } catch (error) {
      const source = flag === undefined ? variable : flagOf(variable);
      const shown = variable === SECRET ? '' : `, not ${JSON.stringify(withoutPassword(text))}${escapingHint(text)}`;
      problems.push(`${source}: expected ${(error as Error).message}${shown}`);
    }
  }
  problems.push(...unknownVariables(environment));
  const door = values.door || 'open';
  if (door === 'open' && values.door !== 'open' && typeof values.host === 'string' && !isLoopback(values.host)) {
    problems.push(
      `POLLCAST_HOST: ${values.host} can be reached from other machines, so with an open door anyone on the network can vote; set POLLCAST_DOOR=devices to admit only registered devices and guests, or POLLCAST_DOOR=open to confirm`,
    );
  }
  problems.push(...tlsProblems(values as Partial<Values>), ...oidcProblems(values as Partial<Values>));
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...(values as Values), door: door as Config['door'] };
}

/** Settings of TLS that do not go together. What is in the files is checked when they are read. */
function tlsProblems({ tlsCert, tlsKey, tlsCa, tlsCrl, tlsClients, mqttPort }: Partial<Values>): string[] {
  const problems: string[] = [];
  const demand = (isWrong: boolean, problem: string) => isWrong && problems.push(problem);
  demand(
    !!tlsCert && !tlsKey,
    'POLLCAST_TLS_KEY: required with POLLCAST_TLS_CERT; expected the file with its private key',
  );
  demand(
    !!tlsKey && !tlsCert,
    'POLLCAST_TLS_CERT: required with POLLCAST_TLS_KEY; expected the file with its certificate',
  );
  demand(
    !!tlsCa && !tlsCert,
    'POLLCAST_TLS_CA: only works with TLS; set POLLCAST_TLS_CERT and POLLCAST_TLS_KEY as well',
  );
  demand(
    !!tlsCrl && !tlsCa,
    'POLLCAST_TLS_CRL: only works with POLLCAST_TLS_CA; set it to the authorities of the list',
  );
  demand(
    tlsClients === 'required' && !tlsCa,
    'POLLCAST_TLS_CLIENTS: required only works with POLLCAST_TLS_CA; set it to the authorities of the devices',
  );
  demand(
    mqttPort === 'off' && !tlsCert,
    'POLLCAST_MQTT_PORT: off only works with TLS, or devices could not connect; set POLLCAST_TLS_CERT and POLLCAST_TLS_KEY',
  );
  return problems;
}

/** The only setting that is a secret as a whole. */
const SECRET = 'POLLCAST_OPERATOR_TOKEN';

/**
 * The value with its credentials hidden, in case it is a URL. It was refused, so it may be malformed: everything up to the last
 * `@` may be part of a password, and so may be a query.
 */
function withoutPassword(text: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/+)?(.*)$/is.exec(text) ?? [];
  const isUnclear = /\?.*@/s.test(rest);
  return scheme + (isUnclear ? '…' : rest.replace(/^.*@/s, '…@').replace(/\?.*/s, '?…'));
}

/** The usual reason why a URL with a password is refused. */
function escapingHint(text: string): string {
  const [credentials = ''] = /^[a-z][a-z0-9+.-]*:\/\/(.*)@/is.exec(text)?.slice(1) ?? [];
  return /[/?#@[\]\s]/.test(credentials) ? '; in a password, write / as %2F, ? as %3F, # as %23 and @ as %40' : '';
}

/**
 * Variables that Kubernetes sets in every container if there is a service named `pollcast`: POLLCAST_SERVICE_HOST,
 * POLLCAST_SERVICE_PORT…, POLLCAST_PORT and POLLCAST_PORT_1883_TCP…. They are neither settings nor mistakes.
 */
const SERVICE_LINK = /^POLLCAST_(SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>([API_VARIABLE, ...Object.values(environmentSettings).map(({ variable }) => variable)]);
  return Object.keys(environment)
    .filter((variable) => variable.startsWith('POLLCAST_') && !known.has(variable) && !SERVICE_LINK.test(variable))
    .map((variable) => `${variable}: there is no such setting; \`pollcast up --help\` lists all settings`);
}

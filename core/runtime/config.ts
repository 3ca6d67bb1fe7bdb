import { isIP } from 'node:net';
import { flagOf, type SettingName, settings } from './settings.ts';

type Values = { [Name in SettingName]: ReturnType<(typeof settings)[Name]['parse']> };

/** The checked configuration of `pollcast up`. */
export type Config = Omit<Values, 'door'> & { readonly door: 'open' | 'devices' };

/** Where the commands of operators find the API; no setting of a server, but no mistake either. */
export const API_VARIABLE = 'POLLCAST_API';

/** Everything that is wrong with a configuration, so that it can be mended in one go. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the configuration: flags first, then environment variables, then defaults.
 *
 * @param flags values by setting name, as given on the command line
 * @param environment usually `process.env`; variables that begin with POLLCAST_ and mean nothing are problems
 * @throws ConfigError listing every problem
 */
export function readConfig(
  flags: Readonly<Partial<Record<SettingName, string>>>,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const problems: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, { variable, fallback, parse }] of Object.entries(settings)) {
    const flag = flags[name as SettingName];
    const text = flag ?? environment[variable] ?? fallback;
    try {
      values[name as SettingName] = parse(text.trim());
    } catch (error) {
      const source = flag === undefined ? variable : flagOf(variable);
      problems.push(`${source}: expected ${(error as Error).message}, not ${JSON.stringify(withoutPassword(text))}`);
    }
  }
  problems.push(...unknownVariables(environment));
  const door = values.door || 'open';
  if (door === 'open' && values.door !== 'open' && typeof values.host === 'string' && !isLoopback(values.host)) {
    problems.push(
      `POLLCAST_HOST: ${values.host} can be reached from other machines, and with an open door anybody there may vote; set POLLCAST_DOOR=devices to let registered devices vote only, or POLLCAST_DOOR=open if you mean it`,
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...(values as Values), door: door as Config['door'] };
}

/** True for names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** A value that may be an address, fit to be shown. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@');
}

function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>([API_VARIABLE, ...Object.values(settings).map(({ variable }) => variable)]);
  return Object.keys(environment)
    .filter((variable) => variable.startsWith('POLLCAST_') && !known.has(variable))
    .map((variable) => `${variable}: there is no such setting; \`pollcast up --help\` lists them all`);
}

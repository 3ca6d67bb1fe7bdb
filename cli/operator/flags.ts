import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { TOKEN_FILE } from '../../app/token.ts';
import { ApiClient, ApiError } from '../../client/api.ts';
import { API_VARIABLE } from '../../core/config/config.ts';

/** The flags of every operator command. */
export interface ClientFlags {
  readonly http: string;
  readonly token?: string;
  readonly json?: boolean;
}

export interface RoundFlags extends ClientFlags {
  readonly round?: string;
}

/** The flag for the URL of the API. */
export function httpOption(): Option {
  return new Option('--http <url>', 'URL of the API').env(API_VARIABLE).default('http://127.0.0.1:8080');
}

/** The flag for the operator token. */
export function tokenOption(): Option {
  return new Option('--token <token>', 'operator token; default: the one in ./data').env('POLLCAST_OPERATOR_TOKEN');
}

/** Adds the flags for the URL of the API, the operator token and the output format. */
export function withClientFlags(command: Command): Command {
  return command.addOption(httpOption()).addOption(tokenOption()).option('--json', 'print JSON');
}

/** The given operator token, or the token in the data directory if none is given. */
export async function operatorToken(given: string | undefined): Promise<string | undefined> {
  if (given !== undefined) return given;
  return (await readFile(join('data', TOKEN_FILE), 'utf8').catch(() => undefined))?.trim();
}

/** An API client for the given URL, with the given token or the token in the data directory. */
export async function clientOf({ http, token }: Pick<ClientFlags, 'http' | 'token'>): Promise<ApiClient> {
  return new ApiClient({ base: http, token: await operatorToken(token) });
}

/** Invalid input on the command line. The message is meant for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Wraps an operator command. Prints the message of an error. If the command throws or returns false, the exit code is 1. */
export function action<Args extends unknown[]>(run: (...args: Args) => Promise<unknown>) {
  return async (...args: Args): Promise<void> => {
    try {
      if ((await run(...args)) === false) process.exitCode = 1;
    } catch (error) {
      process.stderr.write(`pollcast: ${explain(error)}\n`);
      process.exitCode = 1;
    }
  };
}

function explain(error: unknown): string {
  const { message } = error as Error;
  if (!(error instanceof ApiError)) return message;
  if (error.status === 0) return `${message}; is Pollcast running there? Set its URL with --http`;
  const hint =
    error.status === 401 ? ['set --token or POLLCAST_OPERATOR_TOKEN to the token that `npm start` printed'] : [];
  return [message, ...[...error.problems, ...hint].map((line) => `  ${line}`)].join('\n');
}

/** Prints an API response, as text or as JSON. */
export function print<T>({ json }: Pick<ClientFlags, 'json'>, answer: T, text: (answer: T) => string): void {
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${text(answer)}\n`);
}

/** Collects the values of a flag that may be repeated. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

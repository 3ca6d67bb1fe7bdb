import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { API_VARIABLE } from '../../core/runtime/config.ts';
import { TOKEN_FILE } from '../token.ts';

/** How long an answer may take, ms: a recount of a large round takes its time. */
const ANSWER_LIMIT_MS = 120_000;

/** What every command of operators takes. */
export interface ClientFlags {
  readonly http: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** Adds the flags that say where Pollcast is, who asks, and how to answer. */
export function withClientFlags(command: Command): Command {
  return command
    .addOption(new Option('--http <url>', 'where the API is').env(API_VARIABLE).default('http://127.0.0.1:8080'))
    .addOption(
      new Option('--token <token>', 'operator token; default: the one in ./data').env('POLLCAST_OPERATOR_TOKEN'),
    )
    .option('--json', 'print JSON, for programs');
}

/** The API said no, or did not answer. The message is for the person at the keyboard. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
}

/** Pollcast's HTTP API, for operators. */
export class Client {
  readonly base: string;
  private readonly headers: Record<string, string>;

  constructor(base: string, token: string | undefined) {
    this.base = base.trim().replace(/\/$/, '');
    this.headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** The client that flags, environment and data directory describe. */
  static async of({ http, token }: ClientFlags): Promise<Client> {
    const kept = await readFile(join('data', TOKEN_FILE), 'utf8').catch(() => undefined);
    return new Client(http, token ?? kept?.trim());
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are printed, not computed with
  async json(method: string, path: string, body?: unknown): Promise<any> {
    const response = await this.ask(method, path, body);
    return response.status === 204 ? undefined : response.json();
  }

  async text(path: string): Promise<string> {
    return (await this.ask('GET', path)).text();
  }

  /** A stream of bytes: exports and result streams. @param signal ends it */
  async stream(path: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.ask('GET', path, undefined, signal);
    if (!body) throw new ClientError(`${this.base}${path}: an empty answer`);
    return body as ReadableStream<Uint8Array>;
  }

  private async ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const headers = body === undefined ? this.headers : { ...this.headers, 'content-type': 'application/json' };
    const text = body === undefined ? null : JSON.stringify(body);
    const limit = signal ?? AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(this.base + path, { method, headers, body: text, signal: limit }).catch((error) => {
      const why = (error.cause as Error | undefined)?.message || error.message;
      throw new ClientError(
        `${this.base} does not answer (${why}); is Pollcast running there? --http says where it is`,
      );
    });
    if (response.ok) return response;
    throw new ClientError(await problemText(response));
  }
}

async function problemText(response: Response): Promise<string> {
  const { detail, problems = [] } = (await response.json().catch(() => ({}))) as {
    detail?: string;
    problems?: string[];
  };
  const lines = [detail ?? `${response.status} ${response.statusText}`, ...problems.map((problem) => `  ${problem}`)];
  if (response.status === 401)
    lines.push('  --token or POLLCAST_OPERATOR_TOKEN gives the token that `npm start` printed');
  return lines.join('\n');
}

/** Runs a command of operators: a failure is told in words and ends with exit code 1. */
export function action<Args extends unknown[]>(run: (...args: Args) => Promise<unknown>) {
  return async (...args: Args): Promise<void> => {
    try {
      if ((await run(...args)) === false) process.exitCode = 1;
    } catch (error) {
      process.stderr.write(`pollcast: ${(error as Error).message}\n`);
      process.exitCode = 1;
    }
  };
}

/** Prints an answer: as JSON for programs, or as people read it. */
export function print<T>({ json }: Pick<ClientFlags, 'json'>, answer: T, text: (answer: T) => string): void {
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${text(answer)}\n`);
}

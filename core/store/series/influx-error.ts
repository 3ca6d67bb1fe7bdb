import { ResultError } from 'influx';

/** What InfluxDB answered instead of doing what it was asked. Its message never contains a request, whose URL has the password. */
export class InfluxError extends Error {
  override readonly name = 'InfluxError';
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;
  /** True if the database answered that it cannot or may not do this, so that asking again is of no use for now. */
  readonly isRefusal: boolean;

  constructor(message: string, status: number | undefined, isRefusal: boolean) {
    super(message);
    this.status = status;
    this.isRefusal = isRefusal;
  }
}

/** The maximum length of a message of the database. A refused batch comes back with every line that was refused. */
const MAX_MESSAGE = 300;

/** Turns an error of the client, which holds the whole request, into one that can be logged. @param secrets never shown */
export function influxError(error: unknown, secrets: readonly string[]): InfluxError {
  if (error instanceof InfluxError) return error;
  const { message, isRefusal, status } = partsOf(error);
  const safe = secrets
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '…'), message);
  return new InfluxError(safe.length > MAX_MESSAGE ? `${safe.slice(0, MAX_MESSAGE)}…` : safe, status, isRefusal);
}

function partsOf(error: unknown): { message: string; status?: number; isRefusal: boolean } {
  const { message, res } = error as Error & { readonly res?: { readonly statusCode?: number } };
  if (res) {
    const status = res.statusCode ?? 500;
    const body = message.replace(/^A .*? error occurred: /s, '').trim();
    return { message: `status ${status}: ${answerIn(body)}`, status, isRefusal: status < 500 };
  }
  // Status 200 with an error inside: what later versions say to administration.
  if (error instanceof ResultError) return { message, status: 200, isRefusal: true };
  return { message, isRefusal: false };
}

/** The text of an error in an answer, which is JSON in all versions. */
function answerIn(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { readonly error?: unknown; readonly message?: unknown };
    return String(error ?? message ?? body);
  } catch {
    return body;
  }
}

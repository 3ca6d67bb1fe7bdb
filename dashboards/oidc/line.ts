/** How long in ms an identity provider may take for an answer. */
const ANSWER_LIMIT_MS = 5_000;
/** The maximum size in bytes of its answers: discovery documents, keys and tokens have a few kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024;
/** For how long in ms a document is not read again once it could not be read. */
const RETRY_AFTER_MS = 3_000;

/** The identity provider did not answer, or not as a provider does. The message is for the log. */
export class ProviderAway extends Error {
  override readonly name = 'ProviderAway';
}

/** The connection to an identity provider. Answers are limited in time and size. */
export class ProviderLine {
  /** By address, of which a provider has a handful: when a document may be read again, on the clock of `performance.now()`. */
  private readonly pausedUntilMs = new Map<string, number>();

  /**
   * Reads what is the same for everybody: the discovery document, or keys. An address that fails is left alone for a while.
   *
   * @throws ProviderAway if there is no answer, or one with 5xx
   */
  readonly read = async (address: string, request: RequestInit): Promise<Response> => {
    if (performance.now() < (this.pausedUntilMs.get(address) ?? 0)) {
      throw new ProviderAway(`${withoutQuery(address)} did not answer a moment ago`);
    }
    try {
      const response = await this.ask(address, request);
      this.pausedUntilMs.delete(address);
      return response;
    } catch (error) {
      this.pausedUntilMs.set(address, performance.now() + RETRY_AFTER_MS);
      throw error;
    }
  };

  /**
   * Like the global `fetch`, without following redirects. What one person asks for is always asked, whatever happened to others.
   *
   * @throws ProviderAway if there is no answer, or one with 5xx
   */
  readonly ask = async (address: string, request: RequestInit): Promise<Response> => {
    try {
      const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
      const response = await fetch(address, { ...request, redirect: 'manual', signal });
      const body = await limitedBody(response);
      if (response.status >= 500) throw new Error(`status ${response.status}`);
      const { status, headers } = response;
      return new Response(body.length === 0 ? null : body, { status, headers });
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
      throw new ProviderAway(`${withoutQuery(address)}: ${why}`, { cause: error });
    }
  };
}

async function limitedBody({ body }: Response): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest.
  for await (const part of body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function withoutQuery(address: string): string {
  return address.replace(/[?#].*/s, '');
}

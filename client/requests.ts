/** The timeout in ms for a response. It is long because a recount of a large round takes a while. */
const ANSWER_LIMIT_MS = 120_000;
/** The delay in ms before a request is retried if the server did not answer. */
const RETRY_MS = 200;

/** The API refused a request or did not answer. The message can be shown to users. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status; 0 if there was no response. */
  readonly status: number;
  /** The individual problems, if the response lists them. */
  readonly problems: readonly string[];
  /** The reason as a word, such as `edit-conflict`; empty if there was no response. */
  readonly code: string;

  constructor(status: number, message: string, problems: readonly string[] = [], code = '') {
    super(message);
    this.status = status;
    this.problems = problems;
    this.code = code;
  }
}

export interface ApiOptions {
  /** The URL of Pollcast, such as `https://votes.example.org`; default: the origin of the page. */
  readonly base?: string;
  /** The operator token; without it, only public data is available. */
  readonly token?: string | undefined;
  /** How long (ms) to keep retrying while the server does not answer, because it may be starting; default: no retries. */
  readonly patienceMs?: number;
}

/** Sends requests to Pollcast’s HTTP API. Calls reject with an `ApiError` if the API refuses them or does not answer. */
export class Requests {
  readonly base: string;
  private readonly token: string | undefined;
  private readonly patienceMs: number;

  constructor({ base = '', token, patienceMs = 0 }: ApiOptions = {}) {
    this.base = base.trim().replace(/\/+$/, '');
    this.token = token;
    this.patienceMs = patienceMs;
  }

  get isOperator(): boolean {
    return this.token !== undefined;
  }

  /** Headers that authenticate the caller. */
  get headers(): Readonly<Record<string, string>> {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
  }

  /** The raw response to a GET request, for example a large file, whose download may take any time. @param path see `pollPath` */
  get(path: string): Promise<Response> {
    return this.request('GET', path, undefined, async (response) => response);
  }

  /** The text of the response to a GET request. @param path see `pollPath` */
  text(path: string): Promise<string> {
    return this.request('GET', path, undefined, (response) => response.text());
  }

  protected json<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return this.request(method, path, body, (response) => response.json() as Promise<Answer>);
  }

  protected async remove(path: string): Promise<void> {
    await this.request('DELETE', path, undefined, async () => undefined);
  }

  /** Sends a request and reads its response. A response that breaks off counts as none, so the request is repeated. */
  protected async request<Read>(
    method: string,
    path: string,
    body: object | undefined,
    read: (response: Response) => Promise<Read>,
  ): Promise<Read> {
    const headers: Record<string, string> = { ...this.headers };
    if (body !== undefined) headers['content-type'] = contentTypeOf(body);
    const content =
      body === undefined ? null : body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body);
    const endMs = performance.now() + this.patienceMs;
    for (;;) {
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(new Error('no answer in time')), ANSWER_LIMIT_MS);
      try {
        const { signal } = limit;
        const response = await fetch(this.base + path, { method, headers, body: content, signal });
        if (response.ok) return await read(response);
        throw await refusalOf(response);
      } catch (error) {
        if (error instanceof ApiError) throw error;
        const { cause, message } = error as Error & { readonly cause?: Error };
        if (performance.now() >= endMs) {
          throw new ApiError(0, `${this.base || 'the server'} does not answer (${cause?.message || message})`);
        }
      } finally {
        clearTimeout(timer);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function refusalOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Partial<ApiError> & { detail?: string; type?: string };
  const { detail = `${response.status} ${response.statusText}`, problems, type = '' } = body;
  return new ApiError(response.status, detail, problems, type.replace('urn:pollcast:', ''));
}

/** A file is JSON if it begins with a bracket, after a byte order mark and white space. */
function contentTypeOf(body: object): string {
  if (!(body instanceof Uint8Array)) return 'application/json';
  return /^\s*[[{]/.test(new TextDecoder().decode(body.subarray(0, 100))) ? 'application/json' : 'text/csv';
}

/** The parts of the API's answers that the simulator judges by. */
export interface PollInfo {
  readonly poll: string;
  readonly kind: string;
  readonly secrecy?: string | undefined;
  readonly status: string;
  readonly round: number;
  /** `last`, `first` or `max n`. */
  readonly revote: string;
  readonly options: readonly { readonly key: string }[];
  readonly items?: readonly { readonly key: string }[] | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly none?: boolean | undefined;
  readonly decimals?: number | undefined;
  readonly budget?: number | undefined;
  readonly question?: string | undefined;
}

export interface ResultInfo {
  readonly ballots: number;
  readonly votes: number;
  readonly hidden?: boolean;
  readonly options: readonly { readonly key: string; readonly count: number | null }[];
  readonly accounting: {
    readonly received: number;
    readonly counted: number;
    readonly replaced: number;
    readonly redelivered: number;
    readonly rejected: Readonly<Record<string, number>>;
  };
}

export interface RecountInfo {
  readonly agrees: boolean;
  readonly differences: readonly string[];
}

const REQUEST_LIMIT_MS = 60_000;
const RETRY_MS = 200;

/** Pollcast's HTTP API as an outsider sees it. */
export class Api {
  readonly base: string;
  private readonly token: string | undefined;
  private readonly patienceMs: number;

  /**
   * @param token the operator token; without it only public answers can be had
   * @param patienceMs how long a server that does not answer is asked again: it may be starting
   */
  constructor(base: string, token?: string, patienceMs = 0) {
    this.patienceMs = patienceMs;
    this.base = base.replace(/\/$/, '');
    this.token = token;
  }

  get isOperator(): boolean {
    return this.token !== undefined;
  }

  get headers(): Record<string, string> {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
  }

  poll(poll: string): Promise<PollInfo> {
    return this.json(`/api/polls/${poll}`);
  }

  result(poll: string): Promise<ResultInfo> {
    return this.json(`/api/polls/${poll}/result`);
  }

  recount(poll: string): Promise<RecountInfo> {
    return this.json(`/api/polls/${poll}/recount`, 'POST');
  }

  /** Every ballot of the current round: device and choice. */
  async ballots(poll: string): Promise<[device: string, choice: string][]> {
    const text = await (await this.request(`/api/polls/${poll}/ballots.csv`, 'GET')).text();
    return text
      .split('\r\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => /^([^,]*),(?:"([^"]*)"|([^,]*)),/.exec(line) ?? [])
      .map(([, device = '', quoted, plain = '']) => [device, quoted ?? plain]);
  }

  private async json<T>(path: string, method = 'GET'): Promise<T> {
    return (await this.request(path, method)).json() as Promise<T>;
  }

  private async request(path: string, method: string): Promise<Response> {
    const url = this.base + path;
    const response = await this.ask(url, method);
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(`${method} ${url}: ${response.status} ${problem.detail ?? response.statusText}`);
  }

  private async ask(url: string, method: string): Promise<Response> {
    const endMs = performance.now() + this.patienceMs;
    for (;;) {
      try {
        return await fetch(url, { method, headers: this.headers, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
      } catch (error) {
        const { cause, message } = error as Error & { cause?: Error };
        if (performance.now() > endMs) throw new Error(`${url} does not answer (${cause?.message ?? message})`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

import type { Definition } from '../../../core/voting/poll.ts';

/** A poll as the API tells operators of it. */
export interface PollInfo extends Definition {
  /** As its author wrote it, without what was filled in; only of drafts. */
  readonly draft?: Definition;
  readonly status: string;
  readonly round: number;
  readonly createdAt: string;
  readonly openedAt: string | null;
  readonly closingAt: string | null;
  readonly stoppedAt: string | null;
  readonly closedAt: string | null;
  readonly electorate?: unknown;
  readonly presentAtOpen?: unknown;
  readonly presentAtClose?: unknown;
}

export interface DeviceInfo {
  readonly device: string;
  readonly label: string | null;
  readonly group: string | null;
  readonly weight: string;
  readonly mandates: readonly { readonly mandate: string; readonly weight?: string; readonly group?: string }[];
  readonly lentTo: string | null;
  readonly lentAt: string | null;
  readonly status: { readonly battery?: unknown; readonly signal?: unknown; readonly firmware?: unknown } | null;
  readonly statusAt: string | null;
  readonly seenAt: string | null;
}

/** A device that was registered just now: its secret is told this once. */
export interface Secret {
  readonly device: string;
  readonly secret: string;
}

/** What the deployment can do. */
export interface Deployment {
  readonly door: 'open' | 'devices';
  readonly publicUrl: string | null;
  readonly rehearsals: boolean;
}

/** A request that was refused: what is wrong, each thing by itself where there are several. */
export class Refusal extends Error {
  readonly status: number;
  readonly problems: readonly string[];

  constructor(status: number, message: string, problems: readonly string[] = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

const TOKEN = 'pollcast-operator-token';

/** The API, as whoever has the token sees it. The token is kept until the tab is closed, and never part of an address. */
export class OperatorApi {
  private readonly token: string;
  private readonly onSignedOut: () => void;

  constructor(token: string, onSignedOut: () => void) {
    this.token = token;
    this.onSignedOut = onSignedOut;
  }

  static storedToken(): string | null {
    return sessionStorage.getItem(TOKEN);
  }

  static store(token: string | null): void {
    if (token === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
  }

  get headers(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.token}` };
  }

  /** @throws Refusal when the server says no, or says nothing */
  async call<T>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<T> {
    const response = await this.request(method, path, body, type);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Saves what an address answers as a file. */
  async download(path: string, name: string): Promise<void> {
    const response = await this.request('GET', path);
    save(await response.blob(), name);
  }

  private async request(method: string, path: string, body?: unknown, type?: string): Promise<Response> {
    const headers: Record<string, string> = { ...this.headers };
    if (body !== undefined && type) headers['content-type'] = type;
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(path, { method, headers, body: text }).catch(() => undefined);
    if (!response) throw new Refusal(0, '');
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status === 401) this.onSignedOut();
    throw new Refusal(response.status, problem.detail ?? response.statusText, problem.problems);
  }
}

/** Hands a file to the person who asked for it. */
export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const pollPath = (poll: string): string => `/api/polls/${encodeURIComponent(poll)}`;
export const devicePath = (device: string): string => `/api/devices/${encodeURIComponent(device)}`;

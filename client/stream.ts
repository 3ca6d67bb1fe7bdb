/**
 * `pollcast/stream`: follows results in browsers and in Node.js. The server sends the full result first, and then only
 * changes. This module merges these changes, detects dead connections, and reconnects with exponential backoff.
 *
 *     import { followPoll } from 'pollcast/stream';
 *     const stop = followPoll('lunch', { onResult: (result) => console.log(result.ballots) }, { base: 'https://votes.example.org' });
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Result } from '../core/voting/result/result.ts';
import { type ResultChange, withChange } from './change.ts';

export type { Result } from '../core/voting/result/result.ts';
export { withChange } from './change.ts';

/** The time in ms without data after which a connection is considered dead. The server sends data at least every 15 s. */
const SILENCE_LIMIT_MS = 40_000;
/** Delay in ms before reconnecting. Doubles with each failed attempt, up to `most`. Jitter of up to half the delay is added. */
const RETRY_MS = { first: 1_000, most: 15_000 } as const;

/** Asks for changes in the compact form. A server of an earlier version ignores it, and sends the full form. */
const COMPACT = 'changes=compact';

/** `live`: connected · `lost`: reconnecting · `refused`: the server refused the request, which will be retried */
export type Line = 'live' | 'lost' | 'refused';

export interface Listener {
  /** Called with the full result after each change. If it is `hidden`, its figures are null; if `final`, it will not change. */
  readonly onResult: (result: Result) => void;
  /** Called when the connection is established, lost or refused. @param status the HTTP status of a refusal */
  readonly onLine?: ((line: Line, status?: number) => void) | undefined;
  /** Called when another poll, or none (null), becomes current in the room. Only with `followRoom`. */
  readonly onRoom?: ((poll: string | null) => void) | undefined;
}

export interface Options {
  /** The URL of Pollcast, such as `https://votes.example.org`; default: the origin of the page. */
  readonly base?: string | undefined;
  /** HTTP headers for each request. The `authorization` of an operator or a voter gives access to more results. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Follows one poll until the returned function is called. */
export function followPoll(poll: string, listener: Listener, options: Options = {}): () => void {
  return follow(`/api/polls/${encodeURIComponent(poll)}/stream?${COMPACT}`, listener, options);
}

/** Follows several polls (at most 50) over one connection. Each result names its poll. */
export function followPolls(polls: readonly string[], listener: Listener, options: Options = {}): () => void {
  return follow(`/api/stream?polls=${polls.map(encodeURIComponent).join(',')}&${COMPACT}`, listener, options);
}

/** Follows whichever poll is current in a room. */
export function followRoom(room: string, listener: Listener, options: Options = {}): () => void {
  return follow(`/api/rooms/${encodeURIComponent(room)}/stream?${COMPACT}`, listener, options);
}

/** In a browser, this is the window. In Node.js, these methods do not exist. */
const page = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>;

function follow(path: string, listener: Listener, { base = '', headers = {} }: Options): () => void {
  const results = new Map<string, Result>();
  /** The first delay before reconnecting. The server may set another, which is random for each viewer. */
  let firstMs: number = RETRY_MS.first;
  let retryMs = firstMs;
  let isStopped = false;
  let connection = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Rethrows an error of a listener as an uncaught exception, so that the stream continues. Does nothing once stopped. */
  const call = (act: () => void) => {
    if (isStopped) return;
    try {
      act();
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  };
  const reportLine = (now: Line, status?: number) => call(() => listener.onLine?.(now, status));
  const show = (result: Result) => {
    results.set(result.poll, result);
    call(() => listener.onResult(result));
  };
  const take = ({ event, data }: EventSourceMessage) => {
    const content = JSON.parse(data);
    if (event === 'room') call(() => listener.onRoom?.(content.poll));
    else if (event === 'result' || event === 'final') show(content);
    else if (event === 'change') {
      const before = results.get(content.poll);
      if (before) show(withChange(before, content as ResultChange));
    }
  };

  async function read(): Promise<void> {
    connection = new AbortController();
    let watchdog = setTimeout(() => connection.abort(), SILENCE_LIMIT_MS);
    try {
      const accept = { accept: 'text/event-stream' };
      const response = await fetch(base + path, { headers: { ...accept, ...headers }, signal: connection.signal });
      if (!response.ok || !response.body) {
        reportLine('refused', response.status);
        await response.body?.cancel();
        return;
      }
      retryMs = firstMs;
      reportLine('live');
      const parser = createParser({
        onEvent: take,
        onRetry(ms) {
          firstMs = Math.min(ms, RETRY_MS.most);
          retryMs = firstMs;
        },
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => connection.abort(), SILENCE_LIMIT_MS);
        parser.feed(part.value);
      }
      reportLine('lost');
    } catch {
      reportLine('lost');
    } finally {
      clearTimeout(watchdog);
      // Close the connection, no matter how the stream ended.
      connection.abort();
    }
  }

  async function keepReading(): Promise<void> {
    while (!isStopped) {
      await read();
      if (isStopped) return;
      const pauseMs = retryMs * (1 + Math.random() / 2);
      retryMs = Math.min(retryMs * 2, RETRY_MS.most);
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, pauseMs);
      });
    }
  }

  let wake = () => {};
  // A phone that is back online reconnects immediately.
  const onOnline = () => wake();
  page.addEventListener?.('online', onOnline);
  void keepReading();
  return () => {
    isStopped = true;
    page.removeEventListener?.('online', onOnline);
    clearTimeout(timer);
    connection.abort();
    wake();
  };
}

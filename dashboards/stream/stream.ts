/**
 * `pollcast/stream`: follows results in browsers and in Node.js. The server sends a whole result first, then what changed;
 * this puts them together, notices a line that is dead, and comes back after every loss with a pause that grows.
 *
 *     import { followPoll } from 'pollcast/stream';
 *     const stop = followPoll('lunch', { onResult: (result) => console.log(result.ballots) }, { base: 'https://votes.example.org' });
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Result } from '../../core/voting/result.ts';
import { type Change, withChange } from './change.ts';

export type { Result } from '../../core/voting/result.ts';
export { withChange } from './change.ts';

/** A server says at least this often that it is there (every 15 s), or the line is dead, ms. */
const SILENCE_LIMIT_MS = 40_000;
/** The pause before another try, ms: doubles from the first to the second while they fail; up to half is added by chance. */
const RETRY_MS = { first: 1_000, most: 15_000 } as const;

/** `live` results come in · `lost` it is being tried again · `refused` the server will not, as of now; tried again too */
export type Line = 'live' | 'lost' | 'refused';

export interface Listener {
  /** The whole result each time, changes put in. Figures are null while they are hidden; `final` says that it stays. */
  readonly onResult: (result: Result) => void;
  /** The stream came up or went down. @param status of the answer that refused it */
  readonly onLine?: ((line: Line, status?: number) => void) | undefined;
  /** Only of rooms: another poll is current, or none. */
  readonly onRoom?: ((poll: string | null) => void) | undefined;
}

export interface Options {
  /** Where Pollcast is, as `https://votes.example.org`; default: where the page comes from. */
  readonly base?: string | undefined;
  /** Sent along: an operator's or a voter's `authorization` sees more. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Follows one poll until the function that it returns is called. */
export function followPoll(poll: string, listener: Listener, options: Options = {}): () => void {
  return follow(`/api/polls/${encodeURIComponent(poll)}/stream`, listener, options);
}

/** Follows several polls (at most 50) on one line; each result names its poll. */
export function followPolls(polls: readonly string[], listener: Listener, options: Options = {}): () => void {
  return follow(`/api/stream?polls=${polls.map(encodeURIComponent).join(',')}`, listener, options);
}

/** Follows whatever poll is current in a room. */
export function followRoom(room: string, listener: Listener, options: Options = {}): () => void {
  return follow(`/api/rooms/${encodeURIComponent(room)}/stream`, listener, options);
}

/** The page this runs in; in Node.js there is none. */
const page = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>;

function follow(path: string, listener: Listener, { base = '', headers = {} }: Options): () => void {
  const results = new Map<string, Result>();
  /** As the server asks for, where it does: each viewer gets another. */
  let firstMs: number = RETRY_MS.first;
  let retryMs = firstMs;
  let isStopped = false;
  let line = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** What a listener throws is its own: it is told of as an uncaught error, and the stream goes on. */
  const tell = (act: () => void) => {
    try {
      act();
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  };
  const tellLine = (now: Line, status?: number) => tell(() => listener.onLine?.(now, status));
  const show = (result: Result) => {
    results.set(result.poll, result);
    tell(() => listener.onResult(result));
  };
  const take = ({ event, data }: EventSourceMessage) => {
    const told = JSON.parse(data);
    if (event === 'room') tell(() => listener.onRoom?.(told.poll));
    else if (event === 'result' || event === 'final') show(told);
    else if (event === 'change') {
      const before = results.get(told.poll);
      if (before) show(withChange(before, told as Change));
    }
  };

  async function read(): Promise<void> {
    line = new AbortController();
    let watchdog = setTimeout(() => line.abort(), SILENCE_LIMIT_MS);
    try {
      const accept = { accept: 'text/event-stream' };
      const response = await fetch(base + path, { headers: { ...accept, ...headers }, signal: line.signal });
      if (!response.ok || !response.body) {
        tellLine('refused', response.status);
        await response.body?.cancel();
        return;
      }
      retryMs = firstMs;
      tellLine('live');
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
        watchdog = setTimeout(() => line.abort(), SILENCE_LIMIT_MS);
        parser.feed(part.value);
      }
      tellLine('lost');
    } catch {
      if (!isStopped) tellLine('lost');
    } finally {
      clearTimeout(watchdog);
      // Whatever ended it, nothing of it stays open.
      line.abort();
    }
  }

  async function readOnAndOn(): Promise<void> {
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
  // A phone that is back in the network need not wait for its turn.
  const onOnline = () => wake();
  page.addEventListener?.('online', onOnline);
  void readOnAndOn();
  return () => {
    isStopped = true;
    page.removeEventListener?.('online', onOnline);
    clearTimeout(timer);
    line.abort();
    wake();
  };
}

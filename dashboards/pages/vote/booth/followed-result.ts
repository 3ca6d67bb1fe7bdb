import { followPoll } from '../../../../client/stream.ts';
import type { Result } from '../../../../core/voting/result/result.ts';
import { BASE } from '../../base.ts';
import type { VoterConnection } from './connection.ts';
import type { Credentials } from './memory.ts';

/** The pause in ms before a result that is still hidden is requested again. It doubles from `first` to `max`. */
const RETRY_MS = { first: 500, max: 15_000 } as const;

/** The result that a phone follows: by MQTT, or by SSE if only those who have voted may see it. */
export class FollowedResult {
  private readonly onResult: (result: Result | undefined) => void;
  private current: { readonly poll: string; readonly topics: readonly string[]; readonly stop: () => void } | undefined;

  constructor(onResult: (result: Result | undefined) => void) {
    this.onResult = onResult;
  }

  /** The poll whose result is followed. */
  get poll(): string | undefined {
    return this.current?.poll;
  }

  /**
   * The topics to subscribe to on each connection; none if the result is followed as a voter, because what everybody may see is
   * less than that.
   */
  get topics(): readonly string[] {
    return this.current?.topics ?? [];
  }

  get isAsVoter(): boolean {
    return this.current?.topics.length === 0;
  }

  /** Follows the public result. It arrives as a message on this connection, or on a later one that subscribes to it again. */
  follow(poll: string, connection: () => VoterConnection | undefined): void {
    const topics = [`result/${poll}`];
    this.current = { poll, topics, stop: () => connection()?.unsubscribe(topics) };
    void connection()?.subscribe(topics);
  }

  /** Follows the result as one who has voted. */
  followAsVoter(poll: string, credentials: Credentials): void {
    this.current = { poll, topics: [], stop: followAsVoter(poll, credentials, this.onResult) };
  }

  stop(): void {
    this.current?.stop();
    this.current = undefined;
  }
}

/**
 * Follows a result that only those who have voted may see, as one of these voters. A vote is counted a moment after it is
 * accepted; until then the result is hidden, and is requested again. @returns a function that stops following
 */
function followAsVoter(
  poll: string,
  { device, password }: Credentials,
  onShown: (result: Result | undefined) => void,
): () => void {
  const headers = { authorization: `Basic ${btoa(`${device}:${password}`)}` };
  let retryMs: number = RETRY_MS.first;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const begin = () => {
    stop = followPoll(poll, { onResult }, { base: BASE, headers });
  };
  const onResult = (result: Result) => {
    if (!result.hidden) return onShown(result);
    onShown(undefined);
    // The stream shows the figures as soon as the presenter does.
    if (result.curtain) return;
    stop();
    clearTimeout(timer);
    timer = setTimeout(begin, retryMs);
    retryMs = Math.min(2 * retryMs, RETRY_MS.max);
  };
  begin();
  return () => {
    clearTimeout(timer);
    stop();
  };
}

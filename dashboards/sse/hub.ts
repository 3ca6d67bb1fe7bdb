import type { Writable } from 'node:stream';
import type { PollBook } from '../../core/live/polls.ts';
import type { LiveResults } from '../../core/live/results.ts';
import type { Result } from '../../core/voting/result.ts';
import { type Audience, visibleResult } from '../../core/voting/visibility.ts';
import type { DashboardMetrics } from '../metrics.ts';
import { Feed } from './feed.ts';
import { HEARTBEAT, retryFrame } from './frame.ts';
import { Viewer } from './viewer.ts';

const HEARTBEAT_EVERY_MS = 15_000;
/** When viewers whose line broke come back, ms. Browsers add nothing of their own, so it is drawn for each. */
const RETRY_MS = { least: 1_000, most: 3_000 } as const;

/** All open result streams of this process. */
export class Hub {
  readonly name = 'streams';
  readonly maxViewers: number;
  private readonly polls: PollBook;
  private readonly results: LiveResults;
  private readonly metrics: DashboardMetrics;
  /** By poll, then by who looks. */
  private readonly feeds = new Map<string, Map<string, Feed>>();
  private readonly viewers = new Set<Viewer>();
  private heart: NodeJS.Timeout | undefined;

  constructor(polls: PollBook, results: LiveResults, maxViewers: number, metrics: DashboardMetrics) {
    this.polls = polls;
    this.results = results;
    this.maxViewers = maxViewers;
    this.metrics = metrics;
  }

  get isFull(): boolean {
    return this.viewers.size >= this.maxViewers;
  }

  /** Viewers now. */
  private get size(): number {
    return this.viewers.size;
  }

  async start(): Promise<void> {
    this.results.on('change', this.onChange);
    this.heart = setInterval(() => {
      for (const viewer of this.viewers) viewer.beat(HEARTBEAT);
    }, HEARTBEAT_EVERY_MS);
  }

  /** Ends every stream; their readers reconnect, to another process if there is one. */
  async stop(): Promise<void> {
    this.results.off('change', this.onChange);
    clearInterval(this.heart);
    for (const feeds of this.feeds.values()) for (const feed of feeds.values()) feed.close();
    for (const viewer of this.viewers) viewer.end();
    this.viewers.clear();
  }

  /** Streams polls to a reader until its line closes. @param polls as what the reader sees each of them */
  async watch(line: Writable, polls: ReadonlyMap<string, Audience>): Promise<void> {
    const viewer = new Viewer(line, () => this.metrics.frames.inc());
    const feeds = [...polls].map(([poll, audience]) => ({ poll, feed: this.feed(poll, audience) }));
    this.viewers.add(viewer);
    this.metrics.viewers.set(this.size);
    line.once('close', () => {
      this.viewers.delete(viewer);
      this.metrics.viewers.set(this.size);
      for (const { poll, feed } of feeds) this.leave(poll, feed, viewer);
    });
    const { least, most } = RETRY_MS;
    line.write(retryFrame(least + Math.floor(Math.random() * (most - least))));
    for (const { feed } of feeds) await feed.join(viewer);
  }

  private readonly onChange = (poll: string): void => {
    for (const feed of this.feeds.get(poll)?.values() ?? []) feed.touch();
  };

  private feed(poll: string, audience: Audience): Feed {
    // Who has voted in one round has not in the next.
    const round = this.polls.get(poll)?.round ?? 0;
    const name = audience === 'voter' ? `voter of ${round}` : audience;
    const feeds = this.feeds.get(poll) ?? new Map<string, Feed>();
    this.feeds.set(poll, feeds);
    let feed = feeds.get(name);
    if (!feed) {
      feed = new Feed(() => this.read(poll, audience, round));
      feeds.set(name, feed);
    }
    return feed;
  }

  private leave(poll: string, feed: Feed, viewer: Viewer): void {
    feed.leave(viewer);
    const feeds = this.feeds.get(poll);
    if (!feeds || feed.size > 0) return;
    for (const [name, own] of feeds) if (own === feed) feeds.delete(name);
    if (feeds.size === 0) this.feeds.delete(poll);
  }

  private async read(id: string, audience: Audience, round: number): Promise<Result | undefined> {
    const poll = this.polls.get(id);
    if (!poll) return undefined;
    const result = await this.results.result(poll);
    return visibleResult(result, poll, audience === 'voter' && poll.round !== round ? 'public' : audience);
  }
}

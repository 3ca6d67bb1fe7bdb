import type { Writable } from 'node:stream';
import type { PollBook } from '../../core/live/polls.ts';
import type { LiveResults } from '../../core/live/results.ts';
import type { Result } from '../../core/voting/result.ts';
import { type Audience, visibleResult } from '../../core/voting/visibility.ts';
import type { DashboardMetrics } from '../metrics.ts';
import { Feed } from './feed.ts';
import { HEARTBEAT, retryFrame } from './frame.ts';
import { RoomWatch } from './room-watch.ts';
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
  /** Those who look at rooms, by room. */
  private readonly rooms = new Map<string, Set<RoomWatch>>();
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
    this.polls.on('change', this.onPoll);
    this.heart = setInterval(() => {
      for (const viewer of this.viewers) viewer.beat(HEARTBEAT);
    }, HEARTBEAT_EVERY_MS);
  }

  /** Ends every stream; their readers reconnect, to another process if there is one. */
  async stop(): Promise<void> {
    this.results.off('change', this.onChange);
    this.polls.off('change', this.onPoll);
    clearInterval(this.heart);
    for (const feeds of this.feeds.values()) for (const feed of feeds.values()) feed.close();
    for (const viewer of this.viewers) viewer.end();
    this.viewers.clear();
  }

  /** Streams polls to a reader until its line closes. @param polls as what the reader sees each of them */
  async watch(line: Writable, polls: ReadonlyMap<string, Audience>): Promise<void> {
    const feeds = [...polls].map(([poll, audience]) => ({ poll, feed: this.feed(poll, audience) }));
    const viewer = this.enter(line, () => {
      for (const { poll, feed } of feeds) this.leave(poll, feed, viewer);
    });
    for (const { poll, feed } of feeds) {
      await feed.join(viewer);
      // Its line closed meanwhile, and nobody else may be there.
      if (viewer.isClosed) this.leave(poll, feed, viewer);
    }
  }

  /** Streams the poll that is current in a room, and the next one once it takes its place. */
  async watchRoom(line: Writable, room: string, audience: 'operator' | 'public'): Promise<void> {
    const viewer = this.enter(line, () => {
      watch.end();
      watches.delete(watch);
      if (watches.size === 0) this.rooms.delete(room);
    });
    const watch = new RoomWatch(viewer, room, {
      current: () => this.polls.inRoom(room)?.definition.poll,
      feed: (poll) => this.feed(poll, audience),
      leave: (poll, feed) => this.leave(poll, feed, viewer),
    });
    const watches = this.rooms.get(room) ?? new Set();
    this.rooms.set(room, watches.add(watch));
    await watch.follow();
  }

  /** Takes a viewer in until its line closes. */
  private enter(line: Writable, onLeave: () => void): Viewer {
    const viewer = new Viewer(line, () => this.metrics.frames.inc());
    this.viewers.add(viewer);
    this.metrics.viewers.set(this.size);
    line.once('close', () => {
      this.viewers.delete(viewer);
      this.metrics.viewers.set(this.size);
      onLeave();
    });
    const { least, most } = RETRY_MS;
    line.write(retryFrame(least + Math.floor(Math.random() * (most - least))));
    return viewer;
  }

  private readonly onPoll = (id: string): void => {
    const room = this.polls.get(id)?.definition.room;
    // A poll that was deleted, or left its room, does not say which one: then all look.
    const rooms = room === undefined ? [...this.rooms.keys()] : [room];
    for (const one of rooms) for (const watch of this.rooms.get(one) ?? []) void watch.follow();
  };

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

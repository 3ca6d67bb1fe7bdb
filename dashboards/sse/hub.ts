import type { Socket } from 'node:net';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { LiveResults } from '../../core/live/results.ts';
import type { Descriptors } from '../../core/process/descriptors.ts';
import { callerOf } from '../../core/process/networks.ts';
import type { WaitingSockets } from '../../core/process/waiting-sockets.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { Result } from '../../core/voting/result/result.ts';
import type { Audience } from '../../core/voting/result/visibility.ts';
import { every } from '../../core/waiting/pause.ts';
import type { DashboardMetrics } from '../metrics.ts';
import { Feed } from './feed.ts';
import { type Form, type Frame, HEARTBEAT, retryFrame } from './frame.ts';
import type { Head } from './head.ts';
import { type Place, Places } from './places.ts';
import { RoomWatch } from './room-watch.ts';
import { type Connection, Viewer } from './viewer.ts';

const HEARTBEAT_EVERY_MS = 15_000;
/** The reconnection delay in ms that is sent to viewers. It is random for each viewer, because browsers do not add jitter. */
const RETRY_MS = { least: 1_000, most: 3_000 } as const;
/** So many different delays are encoded once, and not for each viewer. */
const RETRIES = Array.from({ length: 100 }, (_, i) =>
  retryFrame(Math.round(RETRY_MS.least + ((RETRY_MS.most - RETRY_MS.least) * i) / 100)),
);

interface HubParts {
  readonly polls: PollBook;
  readonly results: LiveResults;
  readonly maxViewers: number;
  /** The maximum number of viewers from one address; 0: half of all, or of the descriptors. */
  readonly maxViewersPerAddress: number;
  readonly descriptors: Descriptors;
  readonly sockets: WaitingSockets;
  readonly metrics: DashboardMetrics;
}

/** Who asks for a stream. */
export interface Asker {
  readonly isOperator: boolean;
  /** The address of the client. */
  readonly address: string;
  /** The room to follow, if it is not a poll. */
  readonly room?: string;
}

/** What a viewer may see of a poll. */
export interface Admission {
  readonly audience: Audience;
  /** The round for which that was decided. */
  readonly round: number;
  /** Whether an operator may still see the poll’s figures: it may move to another room, also by being created again. */
  readonly isStillAllowed?: (poll: Poll) => boolean;
}

/** A viewer of a poll to which not everybody’s rights extend. */
interface Watcher {
  readonly viewer: Viewer;
  readonly isStillAllowed: (poll: Poll) => boolean;
}

/** A connection that becomes a stream. */
export interface Admitted extends Connection {
  /** What comes before the first frame: the head of the response, and how the stream begins. */
  readonly opening: Buffer;
  readonly place: Place;
}

interface Joined {
  readonly poll: string;
  readonly feed: Feed;
}

/** All open result streams of this process. */
export class Hub {
  private readonly polls: PollBook;
  private readonly results: LiveResults;
  private readonly metrics: DashboardMetrics;
  private readonly descriptors: Descriptors;
  private readonly sockets: WaitingSockets;
  private readonly places: Places;
  /** True if an address may have fewer streams only for want of descriptors. */
  private readonly isTight: boolean;
  /** The heads of responses to plain requests (see `plainRequest`), by form. */
  readonly heads = new Map<Form, Head>();
  /** The feeds by poll, then by audience. */
  private readonly feeds = new Map<string, Map<string, Feed>>();
  private readonly viewers = new Set<Viewer>();
  /** The viewers whose rights depend on the room of a poll, by poll. */
  private readonly watchers = new Map<string, Set<Watcher>>();
  /** The viewers that follow each room. */
  private readonly rooms = new Map<string, Set<RoomWatch>>();
  private readonly halt = new AbortController();

  private constructor({ polls, results, descriptors, sockets, metrics, ...limits }: HubParts) {
    this.polls = polls;
    this.results = results;
    this.metrics = metrics;
    this.descriptors = descriptors;
    this.sockets = sockets;
    const { maxViewers: total, maxViewersPerAddress: own } = limits;
    const half = Math.max(1, Math.floor(Math.min(total, descriptors.room) / 2));
    this.isTight = own === 0 && descriptors.room < total;
    this.places = new Places({ total, perCaller: own > 0 ? own : half });
  }

  static open(parts: HubParts): Hub {
    const hub = new Hub(parts);
    parts.results.on('change', hub.onChange);
    parts.polls.on('change', hub.onPoll);
    every(HEARTBEAT_EVERY_MS, hub.halt.signal, () => {
      for (const viewer of hub.viewers) viewer.beat(HEARTBEAT);
    });
    return hub;
  }

  /** The number of open streams. */
  get size(): number {
    return this.viewers.size;
  }

  /**
   * Takes a place for a viewer, which it has until its connection closes. Call `watch` or `watchRoom` with it.
   *
   * @throws Refusal too-many-viewers, too-many-streams, no-such-room
   */
  admit(asker: Asker, socket: Socket): Place {
    const [kind, caller] = [this.kindOf(asker), callerOf(asker.address)];
    if (!this.hasRoomFor(asker)) {
      this.descriptors.refused('http');
      throw new Refusal('too-many-viewers', 'there are too many connections at the moment; try again shortly');
    }
    if (this.isTight && this.places.problem(kind, caller)?.code === 'too-many-streams')
      this.descriptors.refused('http');
    const place = this.places.take(kind, caller);
    this.sockets.release(socket);
    return place;
  }

  /** Whether `admit` would give a place. Unlike a refusal of it, this is counted nowhere. */
  wouldAdmit(asker: Asker): boolean {
    return this.hasRoomFor(asker) && !this.places.problem(this.kindOf(asker), callerOf(asker.address));
  }

  /** Operators may use the descriptors that are kept for short requests. */
  private hasRoomFor({ isOperator }: Asker): boolean {
    return isOperator || !this.descriptors.areScarce;
  }

  private kindOf({ isOperator, room }: Asker): Place['kind'] {
    const isEarly = room !== undefined && !this.polls.hasRoom(room);
    return isOperator ? 'operator' : isEarly ? 'early' : 'public';
  }

  /** Ends all streams. Viewers reconnect, to another process if one is running. */
  async close(): Promise<void> {
    this.results.off('change', this.onChange);
    this.polls.off('change', this.onPoll);
    this.halt.abort();
    for (const feeds of this.feeds.values()) for (const feed of feeds.values()) feed.close();
    for (const viewer of this.viewers) viewer.end();
  }

  /** Closes the connections of viewers that have not read the end of their stream: the HTTP server does not know them. */
  cut(): void {
    for (const viewer of this.viewers) viewer.cut();
  }

  /** Streams polls to a viewer until its connection closes. @param polls what the viewer may see, by poll id */
  watch(connection: Admitted, polls: ReadonlyMap<string, Admission>): Promise<void> {
    const joined: Joined[] = [];
    let forgets: (() => void)[] | undefined;
    const viewer = this.enter(connection, () => {
      for (const { poll, feed } of joined) this.leave(poll, feed, viewer);
      for (const forget of forgets ?? []) forget();
    });
    for (const [poll, { isStillAllowed }] of polls) {
      if (!isStillAllowed) continue;
      forgets ??= [];
      forgets.push(this.guard(poll, { viewer, isStillAllowed }));
    }
    const joining = this.join(viewer, polls, joined);
    viewer.release();
    return joining;
  }

  private async join(viewer: Viewer, polls: ReadonlyMap<string, Admission>, joined: Joined[]): Promise<void> {
    for (const [poll, { audience, round }] of polls) {
      if (viewer.isClosed) return;
      // Not earlier: while the viewer joins another feed, this one may be given up, and no changes would come any more.
      const feed = this.feed(poll, audience, round);
      joined.push({ poll, feed });
      const joining = feed.join(viewer);
      if (joining) await joining;
      // If the connection was closed while the viewer was joining, the feed may have no viewers left.
      if (viewer.isClosed) this.leave(poll, feed, viewer);
    }
  }

  /** Streams the current poll of a room to a viewer, and switches when another poll becomes current. */
  watchRoom(connection: Admitted, room: string, audience: 'operator' | 'public'): Promise<void> {
    const { place } = connection;
    const viewer = this.enter(connection, () => {
      watch.end();
      watches.delete(watch);
      if (watches.size === 0) this.rooms.delete(room);
    });
    const watch = new RoomWatch(viewer, room, {
      current: () => this.polls.inRoom(room)?.definition.poll,
      feed: (poll) => this.feed(poll, audience, 0),
      leave: (poll, feed) => this.leave(poll, feed, viewer),
      onPoll: () => this.places.settle(place),
    });
    const watches = this.rooms.get(room) ?? new Set();
    this.rooms.set(room, watches.add(watch));
    const following = watch.follow();
    viewer.release();
    return following;
  }

  /** Ends a viewer’s stream once the poll is in a room to which its rights do not extend. @returns stops that */
  private guard(poll: string, watcher: Watcher): () => void {
    const watchers = this.watchers.get(poll) ?? new Set();
    this.watchers.set(poll, watchers.add(watcher));
    this.check(poll, watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.watchers.get(poll) === watchers) this.watchers.delete(poll);
    };
  }

  private check(id: string, { viewer, isStillAllowed }: Watcher): void {
    const poll = this.polls.get(id);
    // Nothing is shown of a poll that was deleted.
    if (poll && !isStillAllowed(poll)) viewer.end();
  }

  /** Adds a viewer, and removes it when its connection closes. It holds what it gets until it is released. */
  private enter({ socket, form, opening, place }: Admitted, onLeave: () => void): Viewer {
    const viewer = new Viewer({ socket, form }, this.onFrame);
    this.viewers.add(viewer);
    this.metrics.viewers.set(this.viewers.size);
    socket.on('close', () => {
      this.viewers.delete(viewer);
      this.metrics.viewers.set(this.viewers.size);
      this.places.leave(place);
      onLeave();
    });
    viewer.hold(opening, (RETRIES[Math.floor(Math.random() * RETRIES.length)] as Frame).in(form));
    return viewer;
  }

  private readonly onFrame = (bytes: number): void => {
    const { sent } = this.metrics;
    sent.frames++;
    sent.bytes += bytes;
  };

  private readonly onPoll = (id: string): void => {
    for (const watcher of this.watchers.get(id) ?? []) this.check(id, watcher);
    // If a poll was deleted, or has left its room, it is no longer known which room that was, so check all rooms.
    for (const watches of this.rooms.values()) for (const watch of watches) void watch.follow();
  };

  private readonly onChange = (poll: string): void => {
    for (const feed of this.feeds.get(poll)?.values() ?? []) feed.touch();
  };

  /** @param round the round in which a voter has voted; the viewer has not voted in the next one yet */
  private feed(poll: string, audience: Audience, round: number): Feed {
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
    const view = await this.results.view(poll, audience === 'voter' && poll.round !== round ? 'public' : audience);
    return view.result;
  }
}

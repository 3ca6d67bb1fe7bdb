import type { Socket } from 'node:net';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { LiveResults } from '../../core/live/results.ts';
import type { Descriptors } from '../../core/process/descriptors.ts';
import { callerOf } from '../../core/process/networks.ts';
import type { WaitingSockets } from '../../core/process/waiting-sockets.ts';
import type { Log } from '../../core/runtime/log.ts';
import { RareWarnings } from '../../core/runtime/rare-warnings.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { isUnderWay, type Poll } from '../../core/voting/poll/poll.ts';
import type { Result } from '../../core/voting/result/result.ts';
import type { Audience } from '../../core/voting/result/visibility.ts';
import { Spells } from '../../core/waiting/spells.ts';
import type { DashboardMetrics, Way } from '../metrics.ts';
import { Feed } from './feed.ts';
import { type Frame, retryFrame } from './frame.ts';
import { Heartbeats } from './heartbeats.ts';
import { Heads } from './opening/head.ts';
import { type Kind, type Place, Places } from './places.ts';
import { Rooms } from './rooms.ts';
import { type Connection, Viewer } from './viewer.ts';
import { Watchers } from './watchers.ts';

/** How many viewers are sent something in each turn of the event loop in any case; that takes about 1 ms. */
const LEAST_VIEWERS = 100;
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
  readonly log: Log;
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

/** A connection that becomes a stream. */
export interface Admitted extends Connection {
  /** What comes before the first frame: the head of the response, and how the stream begins. */
  readonly opening: Buffer;
  readonly place: Place;
  readonly way: Way;
}

/** What a viewer would have a place as. */
interface Seat {
  readonly kind: Kind;
  readonly caller: string;
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
  readonly heads = new Heads();
  /** Shared by everything that is sent to many viewers. */
  private readonly spells = new Spells(LEAST_VIEWERS);
  private readonly warnings: RareWarnings;
  /** The feeds by poll, then by audience. */
  private readonly feeds = new Map<string, Map<string, Feed>>();
  private readonly viewers = new Set<Viewer>();
  private readonly watchers: Watchers;
  private readonly rooms: Rooms;
  private readonly halt = new AbortController();
  private readonly heartbeats = new Heartbeats(this.spells, this.halt.signal);

  private constructor({ polls, results, descriptors, sockets, metrics, log, ...limits }: HubParts) {
    this.polls = polls;
    this.results = results;
    this.metrics = metrics;
    this.warnings = new RareWarnings(log.child({ part: 'streams' }));
    this.rooms = new Rooms(polls, this.spells);
    this.watchers = new Watchers(polls);
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
    return hub;
  }

  /** Whether somebody watches a poll that takes votes. */
  get isVoteWatched(): boolean {
    return [...this.feeds.keys()].some((poll) => isUnderWay(this.polls.get(poll)?.status ?? 'draft'));
  }

  /**
   * Takes a place for a viewer, which it has until its connection closes. Call `watch` or `watchRoom` with it.
   *
   * @throws Refusal too-many-viewers, too-many-streams, no-such-room
   */
  admit(asker: Asker, socket: Socket): Place {
    if (!this.hasRoomFor(asker)) {
      this.descriptors.refused('http');
      throw new Refusal('too-many-viewers', 'there are too many connections at the moment; try again shortly');
    }
    const seat = this.seatOf(asker);
    if (this.isTight && this.places.problem(seat.kind, seat.caller) === 'too-many-streams')
      this.descriptors.refused('http');
    return this.seat(seat, socket);
  }

  /** What `admit` would give a place as, for `seat`; undefined if it would refuse. Unlike that, this is counted nowhere. */
  wouldAdmit(asker: Asker): Seat | undefined {
    if (!this.hasRoomFor(asker)) return undefined;
    const seat = this.seatOf(asker);
    return this.places.problem(seat.kind, seat.caller) === undefined ? seat : undefined;
  }

  /** Takes a place as `admit` does. @throws Refusal if it has been taken since `wouldAdmit` */
  seat({ kind, caller }: Seat, socket: Socket): Place {
    const place = this.places.take(kind, caller);
    this.sockets.release(socket);
    return place;
  }

  /** Operators may use the descriptors that are kept for short requests. */
  private hasRoomFor({ isOperator }: Asker): boolean {
    return isOperator || !this.descriptors.areScarce;
  }

  private seatOf({ isOperator, address, room }: Asker): Seat {
    const isEarly = room !== undefined && !this.polls.hasRoom(room);
    return { kind: isOperator ? 'operator' : isEarly ? 'early' : 'public', caller: callerOf(address) };
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

  /** Streams polls to a viewer until its connection closes. Never rejects. @param polls what the viewer may see, by poll id */
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
      forgets.push(this.watchers.guard(poll, { viewer, isStillAllowed }));
    }
    const joining = this.join(viewer, polls, joined).catch((error) => this.giveUp(viewer, error));
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

  /** Streams the current poll of a room to a viewer, and switches when another poll becomes current. Never rejects. */
  watchRoom(connection: Admitted, room: string, audience: 'operator' | 'public'): Promise<void> {
    const { place } = connection;
    const viewer = this.enter(connection, () => this.rooms.leave(room, watch));
    const watch = this.rooms.watch(viewer, room, {
      feed: (poll) => this.feed(poll, audience, 0),
      leave: (poll, feed) => this.leave(poll, feed, viewer),
      onPoll: () => this.places.settle(place),
      onFailure: (error) => this.giveUp(viewer, error),
    });
    const following = watch.follow();
    viewer.release();
    return following;
  }

  /** Adds a viewer, and removes it when its connection closes. It holds what it gets until it is released. */
  private enter({ socket, form, opening, place, way }: Admitted, onLeave: () => void): Viewer {
    const viewer = new Viewer({ socket, form }, this.onFrame);
    this.viewers.add(viewer);
    const share = this.heartbeats.add(viewer);
    this.metrics.viewers.set(this.viewers.size);
    this.metrics.begun.inc({ way });
    socket.on('close', () => {
      this.viewers.delete(viewer);
      share.delete(viewer);
      this.metrics.viewers.set(this.viewers.size);
      this.places.leave(place);
      onLeave();
    });
    viewer.hold(opening, (RETRIES[Math.floor(Math.random() * RETRIES.length)] as Frame).in(form));
    return viewer;
  }

  private giveUp(viewer: Viewer, err: unknown): void {
    this.warnings.warn('streams', { err }, 'a result stream was cut because its events could not be sent');
    viewer.cut();
  }

  private readonly onFrame = (bytes: number): void => {
    const { sent } = this.metrics;
    sent.frames++;
    sent.bytes += bytes;
  };

  private readonly onPoll = (id: string): void => {
    this.watchers.look(id);
    this.rooms.move();
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
      feed = new Feed(() => this.read(poll, audience, round), this.spells);
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

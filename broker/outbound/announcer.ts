import type { PollBook } from '../../core/live/poll-book.ts';
import type { LiveResults } from '../../core/live/results.ts';
import type { Log } from '../../core/runtime/log.ts';
import { publicDefinition } from '../../core/voting/poll/definition.ts';
import { isUnpublished, type Poll } from '../../core/voting/poll/poll.ts';
import { pollTopic, resultTopic, roomTopic } from '../../core/voting/rules/topics.ts';
import { withinOr } from '../../core/waiting/deadline.ts';
import { every } from '../../core/waiting/pause.ts';

/** The minimum time in ms between announcements of a poll’s result. */
const RESULT_EVERY_MS = 1_000;
/** Interval in ms between checks whether this broker announces on behalf of all brokers. */
const SPOKESMAN_CHECK_MS = 500;
/** With several brokers, a poll is announced again after this delay (ms), because a message between brokers may be lost. */
const REPEAT_MS = 2_000;
/** Maximum time in ms to wait for one announcement before the next is published. */
const PUBLISH_LIMIT_MS = 1_000;

interface AnnouncerParts {
  readonly polls: PollBook;
  readonly results: LiveResults;
  /** Publishes a retained message; resolves once it has been sent to every subscriber of this broker. */
  readonly publish: (topic: string, payload: string, qos: 0 | 1) => Promise<void>;
  /** Whether this broker announces on behalf of all brokers. A broker that takes over this job announces everything again. */
  readonly isSpokesman: () => boolean;
  /** Whether messages reach clients of other brokers too. */
  readonly isShared: boolean;
  readonly log: Log;
}

/** A message to be published on a topic; its payload is computed when its turn comes. */
interface Announcement {
  readonly payload: () => Promise<string>;
  readonly qos: 0 | 1;
  /** True for a repeat, which is published even if the payload has not changed, unless the payload is empty. */
  readonly isRepeat: boolean;
}

/**
 * Keeps the retained topics `poll/…`, `room/…` and `result/…` up to date. Messages are published one at a time, because Aedes
 * can drop messages that overtake each other. Each message is a full snapshot, so only the newest for a topic is published.
 */
export class Announcer {
  private readonly parts: AnnouncerParts;
  private readonly queue = new Map<string, Announcement>();
  private readonly repeats = new Map<string, NodeJS.Timeout>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly published = new Map<string, string>();
  /** The room in which each poll was last announced. When a poll leaves a room, the room’s topic must be updated too. */
  private readonly rooms = new Map<string, string>();
  private readonly halt = new AbortController();
  private wasSpokesman = false;
  private work: Promise<void> | undefined;

  private constructor(parts: AnnouncerParts) {
    this.parts = parts;
  }

  static open(parts: AnnouncerParts): Announcer {
    const announcer = new Announcer(parts);
    announcer.checkSpokesman();
    every(SPOKESMAN_CHECK_MS, announcer.halt.signal, () => announcer.checkSpokesman());
    parts.polls.on('change', announcer.announcePoll);
    parts.results.on('change', announcer.announceResult);
    return announcer;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.parts.polls.off('change', this.announcePoll);
    this.parts.results.off('change', this.announceResult);
    for (const timer of [...this.timers.values(), ...this.repeats.values()]) clearTimeout(timer);
    this.queue.clear();
    await this.work;
  }

  private checkSpokesman(): void {
    const { polls, isSpokesman } = this.parts;
    const isNow = isSpokesman();
    if (isNow && !this.wasSpokesman) {
      this.published.clear();
      for (const { definition } of [...polls.all(), ...polls.deleted()]) this.announcePoll(definition.poll);
    }
    this.wasSpokesman = isNow;
  }

  private readonly announcePoll = (id: string): void => {
    this.enqueuePoll(id, false);
    this.announceResult(id);
    if (!this.parts.isShared) return;
    clearTimeout(this.repeats.get(id));
    const timer = setTimeout(() => {
      this.repeats.delete(id);
      this.enqueuePoll(id, true);
      // Figures that were hidden meanwhile must not stay with another broker.
      if (this.published.get(resultTopic(id)) === '') this.published.delete(resultTopic(id));
      this.announceResult(id);
    }, REPEAT_MS);
    this.repeats.set(id, timer);
  };

  private enqueuePoll(id: string, isRepeat: boolean): void {
    this.enqueue(pollTopic(id), { qos: 1, isRepeat, payload: async () => describe(this.parts.polls.get(id)) });
    const room = this.parts.polls.get(id)?.definition.room;
    const before =
      this.rooms.get(id) ??
      this.parts.polls.deleted().find(({ definition }) => definition.poll === id)?.definition.room;
    if (room !== undefined) this.rooms.set(id, room);
    else this.rooms.delete(id);
    if (before !== undefined && before !== room)
      this.enqueue(roomTopic(before), {
        qos: 1,
        isRepeat,
        payload: async () => describe(this.parts.polls.inRoom(before)),
      });
    if (room !== undefined) {
      this.enqueue(roomTopic(room), { qos: 1, isRepeat, payload: async () => describe(this.parts.polls.inRoom(room)) });
    }
  }

  private readonly announceResult = (id: string): void => {
    if (this.timers.has(id)) return;
    const timer = setTimeout(() => {
      this.timers.delete(id);
      this.enqueue(resultTopic(id), { qos: 0, isRepeat: false, payload: () => this.resultOf(id) });
    }, RESULT_EVERY_MS);
    this.timers.set(id, timer);
  };

  /** The public result; an empty string while it is hidden, which clears the topic. */
  private async resultOf(id: string): Promise<string> {
    const poll = this.parts.polls.get(id);
    if (!poll || poll.round === 0) return '';
    const view = await this.parts.results.view(poll, 'public');
    return view.result.hidden ? '' : view.json;
  }

  private enqueue(topic: string, announcement: Announcement): void {
    if (!this.parts.isSpokesman()) return;
    this.queue.set(topic, announcement);
    this.work ??= this.publishAll();
  }

  private async publishAll(): Promise<void> {
    // Entries added to a Map during iteration are visited too, so new announcements are published in the same loop.
    for (const [topic, { payload, qos, isRepeat }] of this.queue) {
      this.queue.delete(topic);
      if (this.halt.signal.aborted) break;
      try {
        const text = await payload();
        const isKnown = this.published.get(topic) === text;
        if (isRepeat ? text === '' : isKnown) continue;
        // A subscriber that does not read must not delay the next announcement for the others.
        await withinOr(PUBLISH_LIMIT_MS, this.parts.publish(topic, text, qos), undefined);
        // An empty payload is remembered as well: sent again at each change, it would say when somebody votes in a hidden poll.
        this.published.set(topic, text);
      } catch (error) {
        this.parts.log.warn(
          { err: error, topic },
          'could not publish an announcement; trying again at the next change',
        );
      }
    }
    this.work = undefined;
  }
}

/** What devices may know about a poll. Empty until the poll is opened, so that a quiz question cannot leak beforehand. */
function describe(poll: Poll | undefined): string {
  if (!poll || isUnpublished(poll)) return '';
  const { definition, status, round, closesAtMs, curtain } = poll;
  const closingAt = closesAtMs === undefined ? undefined : new Date(closesAtMs).toISOString();
  return JSON.stringify({ ...publicDefinition(definition), status, round, closingAt, curtain });
}

import type { PollBook } from '../core/live/polls.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import { publicDefinition } from '../core/voting/definition.ts';
import { isUnasked, type Poll } from '../core/voting/poll.ts';

import { pollTopic, resultTopic, roomTopic } from '../core/voting/topics.ts';
import { visibleResult } from '../core/voting/visibility.ts';

/** How often a poll's result is announced at most, ms. */
const RESULT_EVERY_MS = 1_000;
/** How often it is looked whether this broker announces, ms. */
const OFFICE_EVERY_MS = 500;
/** Among several brokers, what a poll says is said once more after this, ms: on its way a message may get lost. */
const AGAIN_MS = 2_000;
/** How long one announcement may take before the next one goes out, ms. */
const PUBLISH_LIMIT_MS = 1_000;

/** Publishes a retained message; resolves when every subscriber of this broker has been served. */
export type PublishRetained = (topic: string, payload: string, qos: 0 | 1) => Promise<void>;

/**
 * Keeps the retained topics `poll/…`, `room/…` and `result/…` up to date. One message at a time, and of several for
 * one topic only the newest: Aedes can drop messages that overtake each other, a whole snapshot makes up for it.
 */
export class Announcer {
  private readonly polls: PollBook;
  private readonly results: LiveResults;
  private readonly publish: PublishRetained;
  private readonly log: Log;
  private readonly isSpokesman: () => boolean;
  private wasSpokesman = false;
  private watching: NodeJS.Timeout | undefined;
  private readonly isShared: boolean;
  private readonly queue = new Map<string, Announcement>();
  private readonly again = new Map<string, NodeJS.Timeout>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly published = new Map<string, string>();
  /** The room each poll was announced in: if it leaves, that room's topic changes too. */
  private readonly rooms = new Map<string, string>();
  private work: Promise<void> | undefined;
  private isStopped = false;

  /**
   * @param isSpokesman one broker announces for all of them; when it is this one, it says everything once more
   * @param isShared whether messages go to other brokers as well
   */
  constructor(
    polls: PollBook,
    results: LiveResults,
    publish: PublishRetained,
    log: Log,
    isSpokesman: () => boolean,
    isShared: boolean,
  ) {
    this.isShared = isShared;
    this.polls = polls;
    this.results = results;
    this.publish = publish;
    this.log = log;
    this.isSpokesman = isSpokesman;
  }

  start(): void {
    this.watchOffice();
    this.watching = setInterval(() => this.watchOffice(), OFFICE_EVERY_MS);
    this.polls.on('change', this.announcePoll);
    this.results.on('change', this.announceResult);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.watching);
    this.polls.off('change', this.announcePoll);
    this.results.off('change', this.announceResult);
    for (const timer of [...this.timers.values(), ...this.again.values()]) clearTimeout(timer);
    this.queue.clear();
    await this.work;
  }

  private watchOffice(): void {
    const isSpokesman = this.isSpokesman();
    if (isSpokesman && !this.wasSpokesman) {
      this.published.clear();
      for (const { definition } of [...this.polls.all(), ...this.polls.deleted()]) this.announcePoll(definition.poll);
    }
    this.wasSpokesman = isSpokesman;
  }

  private readonly announcePoll = (id: string): void => {
    this.say(id, false);
    this.announceResult(id);
    if (!this.isShared) return;
    clearTimeout(this.again.get(id));
    const timer = setTimeout(() => {
      this.again.delete(id);
      this.say(id, true);
    }, AGAIN_MS);
    this.again.set(id, timer);
  };

  private say(id: string, isAgain: boolean): void {
    this.enqueue(pollTopic(id), { qos: 1, isAgain, payload: async () => describe(this.polls.get(id)) });
    const room = this.polls.get(id)?.definition.room;
    const before =
      this.rooms.get(id) ?? this.polls.deleted().find(({ definition }) => definition.poll === id)?.definition.room;
    if (room !== undefined) this.rooms.set(id, room);
    else this.rooms.delete(id);
    if (before !== undefined && before !== room)
      this.enqueue(roomTopic(before), { qos: 1, isAgain, payload: async () => describe(this.polls.inRoom(before)) });
    if (room !== undefined) {
      this.enqueue(roomTopic(room), { qos: 1, isAgain, payload: async () => describe(this.polls.inRoom(room)) });
    }
  }

  private readonly announceResult = (id: string): void => {
    if (this.timers.has(id)) return;
    const timer = setTimeout(() => {
      this.timers.delete(id);
      this.enqueue(resultTopic(id), { qos: 0, isAgain: false, payload: () => this.resultOf(id) });
    }, RESULT_EVERY_MS);
    this.timers.set(id, timer);
  };

  /** The result as everybody may see it; empty, which clears the topic, while nobody may. */
  private async resultOf(id: string): Promise<string> {
    const poll = this.polls.get(id);
    if (!poll || poll.round === 0) return '';
    const result = visibleResult(await this.results.result(poll), poll, 'public');
    return result.hidden ? '' : JSON.stringify(result);
  }

  private enqueue(topic: string, announcement: Announcement): void {
    if (!this.isSpokesman()) return;
    this.queue.set(topic, announcement);
    this.work ??= this.publishAll();
  }

  private async publishAll(): Promise<void> {
    // A Map may grow while it is walked through: what is announced meanwhile is published too.
    for (const [topic, { payload, qos, isAgain }] of this.queue) {
      this.queue.delete(topic);
      if (this.isStopped) break;
      try {
        const text = await payload();
        const isKnown = this.published.get(topic) === text;
        if (isAgain ? text === '' : isKnown) continue;
        // One subscriber that does not read may not keep the others from the next announcement.
        await Promise.race([this.publish(topic, text, qos), pause(PUBLISH_LIMIT_MS)]);
        if (text === '') this.published.delete(topic);
        else this.published.set(topic, text);
      } catch (error) {
        this.log.warn({ err: error, topic }, 'could not announce; the next change announces it again');
      }
    }
    this.work = undefined;
  }
}

/** What is to be published on a topic: worked out when its turn comes. */
interface Announcement {
  readonly payload: () => Promise<string>;
  readonly qos: 0 | 1;
  /** It is published even if it was before. */
  readonly isAgain: boolean;
}

/** What devices may know of a poll: nothing before it is opened, a quiz question must not leak. */
function describe(poll: Poll | undefined): string {
  if (!poll || isUnasked(poll)) return '';
  const { definition, status, round, closesAtMs } = poll;
  const closingAt = closesAtMs === undefined ? undefined : new Date(closesAtMs).toISOString();
  return JSON.stringify({ ...publicDefinition(definition), status, round, closingAt });
}

import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import type { Registry, Watched } from '../store/store.ts';
import { currentInRoom, type Poll } from '../voting/poll/poll.ts';
import { every } from '../waiting/pause.ts';

/** Interval in ms at which all polls are read again, in case a notice was missed. */
const RESYNC_MS = 30_000;

/**
 * An in-memory copy of all polls, so that a broker can look up the poll of each vote without waiting for the store. Emits
 * `change` with a poll’s id after the copy of that poll has changed, and `vanished` if the store has lost it. (A poll that was
 * deleted is still stored.)
 */
export class PollBook extends EventEmitter<{ change: [poll: string]; vanished: [poll: string] }> {
  private readonly registry: Registry;
  private readonly log: Log;
  private readonly polls = new Map<string, Poll>();
  private readonly versions = new Map<string, number>();
  private readonly removed = new Map<string, Poll>();
  private readonly rooms = new Map<string, Poll>();
  /** How many polls each room has, drafts included. */
  private readonly sizes = new Map<string, number>();
  /** For each poll that has been written but not read again yet, the number of the latest notice of a write. */
  private readonly stale = new Map<string, number>();
  private notices = 0;
  /** Reads in progress, by poll. */
  private readonly reading = new Map<string, Promise<unknown>>();
  private readonly halt = new AbortController();

  private constructor(registry: Registry, log: Log) {
    super();
    this.setMaxListeners(0);
    this.registry = registry;
    this.log = log.child({ part: 'polls' });
  }

  /** Reads all polls and follows their changes from then on. */
  static async open(registry: Registry, log: Log): Promise<PollBook> {
    const book = new PollBook(registry, log);
    const { signal } = book.halt;
    const unwatch = registry.watch((collection, id) => book.notice(collection, id));
    signal.addEventListener('abort', unwatch);
    every(RESYNC_MS, signal, () => book.attempt(book.resync()));
    try {
      await book.resync();
    } catch (error) {
      await book.close();
      throw error;
    }
    return book;
  }

  /** Resolves once no read is in progress, because the store closes next. */
  async close(): Promise<void> {
    this.halt.abort();
    await Promise.all(this.reading.values());
  }

  get(poll: string): Poll | undefined {
    return this.polls.get(poll);
  }

  /** The poll to which a room’s votes and pages currently refer. */
  inRoom(room: string): Poll | undefined {
    return this.rooms.get(room);
  }

  /** True if there is a poll in the room, be it a draft. */
  hasRoom(room: string): boolean {
    return this.sizes.has(room);
  }

  all(): Poll[] {
    return [...this.polls.values()];
  }

  /** Deleted polls, whose announcements must be withdrawn. */
  deleted(): Poll[] {
    return [...this.removed.values()];
  }

  /** Reads one poll again. Resolves once the copy includes every write that completed before this call. */
  refresh(id: string): Promise<void> {
    // Reads run one after another: replies that arrive out of order would restore an older state.
    const before = this.reading.get(id) ?? Promise.resolve();
    const reading = before.then(() => this.read(id));
    const quiet: Promise<unknown> = reading
      .catch(() => {})
      .then(() => this.reading.get(id) === quiet && this.reading.delete(id));
    this.reading.set(id, quiet);
    return reading;
  }

  /**
   * Resolves once the copies of all polls include every write that completed before this call. Rejects if the store cannot be
   * reached.
   */
  async sync(): Promise<void> {
    await this.registry.caughtUp();
    await Promise.all([...this.stale.keys()].map((id) => this.refresh(id)));
  }

  private async read(id: string): Promise<void> {
    const notice = this.stale.get(id);
    const found = await this.registry.get<Poll>('polls', id);
    // A write during this read has a newer notice, which triggers another read.
    if (this.stale.get(id) === notice) this.stale.delete(id);
    if (found) this.learn(id, found.value, found.version);
    else this.forget(id);
  }

  private notice(collection: Watched, id: string): void {
    if (collection !== 'polls') return;
    this.stale.set(id, ++this.notices);
    this.attempt(this.refresh(id));
  }

  private async resync(): Promise<void> {
    const all = await this.registry.list<Poll>('polls');
    const changed = all.filter(({ id, version }) => version !== this.versions.get(id)).map(({ id }) => id);
    const found = new Set(all.map(({ id }) => id));
    const vanished = [...this.versions.keys()].filter((id) => !found.has(id));
    await Promise.all([...changed, ...vanished].map((id) => this.refresh(id)));
  }

  private attempt(work: Promise<void>): void {
    work.catch((error) => this.log.warn({ err: error }, 'could not read the polls; trying again within 30 s'));
  }

  private learn(id: string, poll: Poll, version: number): void {
    // Any different version is a change, even a lower one, because a failover may have brought back older data.
    const before = this.polls.get(id);
    // The key of a secret round may be found later than the document that refers to it.
    if (version === this.versions.get(id) && before?.missingKey === poll.missingKey) return;
    this.versions.set(id, version);
    this.keep(id, poll.deleted ? undefined : poll);
    if (poll.deleted) this.removed.set(id, poll);
    else this.removed.delete(id);
    for (const { definition } of [before, poll].filter((known) => known !== undefined)) {
      if (definition.room !== undefined) this.updateRoom(definition.room);
    }
    this.emit('change', id);
  }

  /** A poll that is no longer stored is treated like a deleted one: it takes no votes, and its announcements are withdrawn. */
  private forget(id: string): void {
    const before = this.polls.get(id) ?? this.removed.get(id);
    if (!before) return;
    this.versions.delete(id);
    this.keep(id, undefined);
    this.removed.set(id, { ...before, deleted: true });
    if (before.definition.room !== undefined) this.updateRoom(before.definition.room);
    if (before.deleted) return;
    this.log.error({ poll: id, status: before.status }, 'the store has lost a poll; its votes are refused from now on');
    this.emit('vanished', id);
    this.emit('change', id);
  }

  /** @param poll undefined if it is no poll any more */
  private keep(id: string, poll: Poll | undefined): void {
    this.count(this.polls.get(id), -1);
    this.count(poll, 1);
    if (poll) this.polls.set(id, poll);
    else this.polls.delete(id);
  }

  private count(poll: Poll | undefined, change: 1 | -1): void {
    const room = poll?.definition.room;
    if (room === undefined) return;
    const size = (this.sizes.get(room) ?? 0) + change;
    if (size > 0) this.sizes.set(room, size);
    else this.sizes.delete(room);
  }

  private updateRoom(room: string): void {
    const current = currentInRoom(this.polls.values(), room);
    if (current) this.rooms.set(room, current);
    else this.rooms.delete(room);
  }
}

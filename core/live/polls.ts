import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import type { Registry, Watched } from '../store/store.ts';
import { currentInRoom, type Poll } from '../voting/poll.ts';

/** How often everything is read again, in case a notice was missed, ms. */
const RESYNC_MS = 30_000;

/**
 * Every poll as this process knows it now: a copy of the registry that can be asked without waiting, because a
 * broker asks at every vote. Emits `change` with the poll's id after its copy changed.
 */
export class PollBook extends EventEmitter<{ change: [poll: string] }> {
  readonly name = 'polls';
  private readonly registry: () => Registry;
  private readonly log: Log;
  private readonly polls = new Map<string, Poll>();
  private readonly versions = new Map<string, number>();
  private readonly gone = new Map<string, Poll>();
  private readonly rooms = new Map<string, Poll>();
  /** Polls that were written and are not read again yet, with the number of the newest notice. */
  private readonly stale = new Map<string, number>();
  private notices = 0;
  /** Readings under way, by poll. */
  private readonly reading = new Map<string, Promise<unknown>>();
  private unwatch: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(registry: () => Registry, log: Log) {
    super();
    this.setMaxListeners(0);
    this.registry = registry;
    this.log = log.child({ part: 'polls' });
  }

  async start(): Promise<void> {
    this.unwatch = this.registry().watch((collection, id) => this.notice(collection, id));
    this.timer = setInterval(() => this.attempt(this.resync()), RESYNC_MS);
    await this.resync();
  }

  async stop(): Promise<void> {
    this.unwatch?.();
    clearInterval(this.timer);
  }

  get(poll: string): Poll | undefined {
    return this.polls.get(poll);
  }

  /** The poll that a room's votes and pages mean now. */
  inRoom(room: string): Poll | undefined {
    return this.rooms.get(room);
  }

  all(): Poll[] {
    return [...this.polls.values()];
  }

  /** Polls that are gone; what was announced of them has to be taken back. */
  deleted(): Poll[] {
    return [...this.gone.values()];
  }

  /** Reads one poll again; resolves once this copy is at least as new as the call. */
  refresh(id: string): Promise<void> {
    // One reading after the other: answers out of order would put an older state back.
    const before = this.reading.get(id) ?? Promise.resolve();
    const reading = before.then(() => this.read(id));
    const quiet: Promise<unknown> = reading
      .catch(() => {})
      .then(() => this.reading.get(id) === quiet && this.reading.delete(id));
    this.reading.set(id, quiet);
    return reading;
  }

  /** Resolves once this copy is at least as new as the call, for every poll. Rejects when that cannot be had. */
  async sync(): Promise<void> {
    await this.registry().caughtUp();
    await Promise.all([...this.stale.keys()].map((id) => this.refresh(id)));
  }

  private async read(id: string): Promise<void> {
    const notice = this.stale.get(id);
    const found = await this.registry().get<Poll>('polls', id);
    // What was written after this reading began has a newer notice, and a reading of its own.
    if (this.stale.get(id) === notice) this.stale.delete(id);
    if (found) this.learn(id, found.value, found.version);
  }

  private notice(collection: Watched, id: string): void {
    if (collection !== 'polls') return;
    this.stale.set(id, ++this.notices);
    this.attempt(this.refresh(id));
  }

  private async resync(): Promise<void> {
    const all = await this.registry().list<Poll>('polls');
    await Promise.all(
      all.filter(({ id, version }) => version !== this.versions.get(id)).map(({ id }) => this.refresh(id)),
    );
  }

  private attempt(work: Promise<void>): void {
    work.catch((error) => this.log.warn({ err: error }, 'could not read the polls; the next try is at most 30 s away'));
  }

  private learn(id: string, poll: Poll, version: number): void {
    // A lower version is as good as a higher one: the store may have come back with older data than it had.
    if (version === this.versions.get(id)) return;
    this.versions.set(id, version);
    const before = this.polls.get(id);
    const [kept, left] = poll.deleted ? [this.gone, this.polls] : [this.polls, this.gone];
    left.delete(id);
    kept.set(id, poll);
    for (const { definition } of [before, poll].filter((known) => known !== undefined)) {
      if (definition.room !== undefined) this.settleRoom(definition.room);
    }
    this.emit('change', id);
  }

  private settleRoom(room: string): void {
    const current = currentInRoom(this.polls.values(), room);
    if (current) this.rooms.set(room, current);
    else this.rooms.delete(room);
  }
}

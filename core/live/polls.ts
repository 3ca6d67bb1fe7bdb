import { EventEmitter } from 'node:events';
import type { Log } from '../runtime/log.ts';
import type { Collection, Registry } from '../store/store.ts';
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
  async refresh(id: string): Promise<void> {
    const found = await this.registry().get<Poll>('polls', id);
    if (found) this.learn(id, found.value, found.version);
  }

  private notice(collection: Collection, id: string): void {
    if (collection === 'polls') this.attempt(this.refresh(id));
  }

  private async resync(): Promise<void> {
    for (const { id, value, version } of await this.registry().list<Poll>('polls')) this.learn(id, value, version);
  }

  private attempt(work: Promise<void>): void {
    work.catch((error) => this.log.warn({ err: error }, 'could not read the polls; the next try is at most 30 s away'));
  }

  private learn(id: string, poll: Poll, version: number): void {
    // Notices may come late and answers out of order: only a newer version counts.
    if (version <= (this.versions.get(id) ?? 0)) return;
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

import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Trails } from '../../core/store/store.ts';
import { type DeviceEvent, KEPT_EVENTS, KEPT_TRAILS } from '../../core/store/trail.ts';
import type { Common } from '../../core/voting/rules/settings.ts';
import { isIdentifier } from '../../core/voting/rules/text/identifier.ts';
import { every } from '../../core/waiting/pause.ts';

/** Interval in ms between writes of what happened. */
const WRITE_EVERY_MS = 1_000;
/** While a ballot may not be linked to its voter, events are dated to the minute, in ms. */
const COARSE_MS = 60_000;

interface TrailParts {
  readonly trails: Trails;
  readonly polls: PollBook;
  readonly log: Log;
}

/** Collects what happens to devices, and stores it. */
export class Trail {
  private readonly parts: TrailParts;
  private waiting = new Map<string, DeviceEvent[]>();
  private isCoarse = false;
  private writing: Promise<void> = Promise.resolve();
  private readonly halt = new AbortController();

  private constructor(parts: TrailParts) {
    this.parts = parts;
  }

  static open(parts: TrailParts): Trail {
    const trail = new Trail(parts);
    trail.checkPolls();
    parts.polls.on('change', trail.checkPolls);
    every(WRITE_EVERY_MS, trail.halt.signal, () => void trail.write());
    return trail;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.parts.polls.off('change', this.checkPolls);
    await this.write();
  }

  /** Adds an event; equal events in a row become one. Ids that no device can have are ignored. */
  note(device: string, what: DeviceEvent['what'], detail?: string): void {
    const nowMs = Date.now();
    const atMs = this.isCoarse ? nowMs - (nowMs % COARSE_MS) : nowMs;
    let events = this.waiting.get(device);
    if (!events) {
      if (this.waiting.size >= KEPT_TRAILS || !isIdentifier(device)) return;
      events = [];
      this.waiting.set(device, events);
    }
    const last = events.at(-1);
    if (last && last.what === what && last.detail === detail) {
      events[events.length - 1] = { atMs, what, detail, times: (last.times ?? 1) + 1 };
      return;
    }
    events.push({ atMs, what, detail });
    if (events.length > KEPT_EVENTS) events.shift();
  }

  /**
   * Adds a vote, but never what was voted. Votes in a poll whose ballots may not be linked to voters are not recorded, because
   * the order of the log would link them.
   */
  voted(device: string, poll: string, outcome: string): void {
    const definition = this.parts.polls.get(poll)?.definition;
    if (definition && isUnlinkable(definition)) return;
    this.note(device, 'voted', `${poll} ${outcome}`);
  }

  private readonly checkPolls = (): void => {
    const isOpen = ({ status }: { status: string }) => status !== 'draft' && status !== 'closed';
    this.isCoarse = this.parts.polls.all().some((poll) => isOpen(poll) && isUnlinkable(poll.definition));
  };

  /** Writes one after the other, so that events keep their order. */
  private write(): Promise<void> {
    this.writing = this.writing.then(async () => {
      const { waiting } = this;
      if (waiting.size === 0) return;
      this.waiting = new Map();
      try {
        await this.parts.trails.add(waiting);
      } catch (error) {
        this.parts.log.debug({ err: error, devices: waiting.size }, 'could not write events of devices; dropped');
      }
    });
    return this.writing;
  }
}

/** True if ballots carry a hash instead of the voter’s id. */
function isUnlinkable({ secrecy = 'named' }: Common): boolean {
  return secrecy !== 'named';
}

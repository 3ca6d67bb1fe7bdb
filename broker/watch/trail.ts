import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Trails } from '../../core/store/store.ts';
import { type DeviceEvent, KEPT_EVENTS, KEPT_TRAILS } from '../../core/store/trail.ts';
import type { Common } from '../../core/voting/rules/settings.ts';
import { isIdentifier } from '../../core/voting/rules/text/identifier.ts';
import { every } from '../../core/waiting/pause.ts';
import { turn } from '../../core/waiting/turn.ts';

/** Interval in ms between writes of what happened. */
const WRITE_EVERY_MS = 1_000;
/**
 * While a poll is open whose ballots may not be linked to voters, events are dated to the minute and written once a minute
 * (in ms), because the time of a connection may be almost that of a vote.
 */
const COARSE_MS = 60_000;
/** The number of devices whose events are written in one turn of the event loop. */
const WRITTEN_TOGETHER = 1_000;

/** The outcome of a vote that was not rejected. */
export const ACCEPTED = 'accepted';

interface TrailParts {
  readonly trails: Trails;
  readonly polls: PollBook;
  readonly log: Log;
}

/** An event that has not been written yet, and may still become several. */
type WaitingEvent = { -readonly [Name in keyof DeviceEvent]: DeviceEvent[Name] };

/** The events of a device that are written. */
type Ready = readonly [device: string, events: readonly DeviceEvent[]];

/** Collects what happens to devices, and stores it. */
export class Trail {
  private readonly parts: TrailParts;
  private readonly waiting = new Map<string, WaitingEvent[]>();
  /** The detail of the last vote, which is often that of the next. */
  private last = { poll: '', outcome: '', detail: '' };
  private isCoarse = false;
  /** True if events of a coarse time may be waiting. */
  private hasCoarse = false;
  private wroteAtMs = 0;
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
      // Changed in place, because thousands of votes a second come this way.
      last.atMs = atMs;
      last.times = (last.times ?? 1) + 1;
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
    // A poll that was deleted since may have been secret.
    if (definition ? isUnlinkable(definition) : outcome === ACCEPTED) return;
    if (poll !== this.last.poll || outcome !== this.last.outcome) {
      this.last = { poll, outcome, detail: `${poll} ${outcome}` };
    }
    this.note(device, 'voted', this.last.detail);
  }

  private readonly checkPolls = (): void => {
    const isOpen = ({ status }: { status: string }) => status !== 'draft' && status !== 'closed';
    const wasCoarse = this.isCoarse;
    this.isCoarse = this.parts.polls.all().some((poll) => isOpen(poll) && isUnlinkable(poll.definition));
    if (!this.isCoarse || wasCoarse) return;
    this.hasCoarse = true;
    this.wroteAtMs = Date.now();
  };

  /** Writes one after the other, so that events keep their order. */
  private write(): Promise<void> {
    this.writing = this.writing.then(async () => {
      const ready = this.takeReady();
      for (let at = 0; at < ready.length; at += WRITTEN_TOGETHER) {
        if (at > 0) await turn();
        await this.add(ready.slice(at, at + WRITTEN_TOGETHER));
      }
    });
    return this.writing;
  }

  private async add(events: readonly Ready[]): Promise<void> {
    try {
      await this.parts.trails.add(new Map(events));
    } catch (error) {
      this.parts.log.debug({ err: error, devices: events.length }, 'could not write events of devices; dropped');
    }
  }

  /**
   * The events that may be written now. Those of clients that were only refused never have to wait. All others of a coarse time
   * are sorted by device, because the order in which devices came says almost as much as the time.
   */
  private takeReady(): readonly Ready[] {
    const nowMs = Date.now();
    const isDue = !this.isCoarse || this.halt.signal.aborted || nowMs - this.wroteAtMs >= COARSE_MS;
    if (isDue) this.wroteAtMs = nowMs;
    const ready: Ready[] = [];
    for (const one of this.waiting) if (isDue || one[1].every(({ what }) => what === 'refused')) ready.push(one);
    for (const [device] of ready) this.waiting.delete(device);
    if (!this.hasCoarse) return ready;
    if (isDue) this.hasCoarse = this.isCoarse;
    return ready.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** True if ballots carry a hash instead of the voter’s id. */
function isUnlinkable({ secrecy = 'named' }: Common): boolean {
  return secrecy !== 'named';
}

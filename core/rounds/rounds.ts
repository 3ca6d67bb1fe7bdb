import type { Device } from '../devices/device.ts';
import type { PollBook } from '../live/poll-book.ts';
import type { Log } from '../runtime/log.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Store } from '../store/store.ts';
import type { Marker } from '../voting/count/entry.ts';
import type { Definition } from '../voting/kinds/definition.ts';
import { needsIdentity } from '../voting/poll/electorate.ts';
import { isContinuing, type Poll, type Status, stretchKey } from '../voting/poll/poll.ts';
import { begunAtMs, recordOf } from '../voting/rules/record.ts';
import { pause } from '../waiting/pause.ts';
import { BrokerAnswers } from './broker-answers.ts';
import { demandContinuable } from './continuation.ts';
import { demandSingleVotes, demandStatus } from './demands.ts';
import { ANYBODY, type PollRepository } from './poll-repository.ts';
import {
  closedKey,
  continuingTimes,
  interrupted,
  opening,
  openingKey,
  openingTimes,
  stopped,
  uninterrupted,
  unopened,
} from './record.ts';
import { claimRoom } from './room-claims.ts';
import { Steps } from './steps.ts';

/** Interval in ms at which to look for unfinished openings and closings. */
const SWEEP_EVERY_MS = 5_000;

interface RoundsParts {
  readonly store: Store;
  readonly polls: PollBook;
  readonly repository: PollRepository;
  /** The number of days for which the log of a closed round is kept; 0: forever. */
  readonly retentionDays: number;
  readonly log: Log;
}

/**
 * Opens and closes rounds. Each opening or closing takes two steps. Between the two, a marker is written to the log of every
 * partition. Everything can be repeated, so that another process can finish the job if the first process dies.
 */
export class Rounds {
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly repository: PollRepository;
  private readonly retentionDays: number;
  private readonly log: Log;
  private readonly halt = new AbortController();
  private readonly brokers: BrokerAnswers;
  private readonly steps = new Steps();
  private sweeping = Promise.resolve();

  private constructor({ store, polls, repository, retentionDays, log }: RoundsParts) {
    this.store = store;
    this.polls = polls;
    this.repository = repository;
    this.retentionDays = retentionDays;
    this.log = log.child({ part: 'rounds' });
    this.brokers = new BrokerAnswers(store.presence, polls, this.halt.signal);
  }

  /** From now on, finishes openings and closings that other processes left unfinished. */
  static async open(parts: RoundsParts): Promise<Rounds> {
    const rounds = new Rounds(parts);
    rounds.sweeping = rounds.sweep();
    return rounds;
  }

  /** Ends waiting for brokers, and lets openings and closings that are under way come to an end. */
  async close(): Promise<void> {
    this.halt.abort();
    await this.steps.close();
    await this.sweeping;
  }

  /**
   * Opens the next round of a draft or closed poll. @throws Refusal wrong-status, room-taken, open-door, mandate-twice,
   * still-opening, and what `permit` throws
   */
  openRound(id: string, from: 'draft' | 'closed', permit = ANYBODY): Promise<Poll> {
    return this.steps.run(async () => {
      const poll = await this.repository.change(id, (now) => {
        permit(now);
        demandStatus(now, from);
        return this.opening(now);
      });
      return this.finishOpening(poll);
    });
  }

  /**
   * Continues the last round of a closed poll: votes count again, together with those already counted. @throws Refusal
   * wrong-status, key-destroyed, log-removed, too-many-interruptions, room-taken, open-door, mandate-twice, still-opening, and what
   * `permit` throws
   */
  continueRound(id: string, permit = ANYBODY): Promise<Poll> {
    return this.steps.run(async () => {
      const poll = await this.repository.change(id, async (now) => {
        permit(now);
        demandStatus(now, 'closed');
        demandContinuable(now, this.retentionDays, Date.now());
        demandSingleVotes(now.definition, await this.devices(now.definition));
        return interrupted(now);
      });
      return this.finishOpening(poll);
    });
  }

  /** Opens a draft at its scheduled time; undefined if it is no longer a draft. */
  openDue({ definition: { poll: id } }: Poll): Promise<Poll | undefined> {
    return this.steps.run(async () => {
      const poll = await this.repository.change(id, (now) => (now.status === 'draft' ? this.opening(now) : undefined));
      return poll && this.finishOpening(poll);
    });
  }

  /**
   * Closes an open poll. All votes accepted until now count. Later votes count only if they were cast before the close and
   * arrive within the poll’s grace period; closing again ends that period. @throws Refusal wrong-status, still-closing, and what
   * `permit` throws
   */
  closeRound(id: string, permit = ANYBODY): Promise<Poll> {
    return this.steps.run(async () => {
      const wasOpen = this.polls.get(id)?.status === 'open';
      const poll = await this.repository.change(id, (now) => {
        permit(now);
        demandStatus(now, 'open', 'grace', 'closing');
        // The poll may run out of time just as an operator closes it. That must not end the grace period.
        return now.status === 'grace' && wasOpen ? now : stopped(now);
      });
      return this.afterStop(poll);
    });
  }

  /** Closes a poll or ends its grace period at the scheduled time; undefined if its status or round has changed. */
  closeDue(due: Poll): Promise<Poll | undefined> {
    const {
      definition: { poll: id },
      status,
    } = due;
    const stretch = stretchKey(due);
    return this.steps.run(async () => {
      const poll = await this.repository.change(id, (now) =>
        now.status === status && stretchKey(now) === stretch ? stopped(now) : undefined,
      );
      return poll && this.afterStop(poll);
    });
  }

  private afterStop(poll: Poll): Poll | Promise<Poll> {
    return poll.status === 'grace' ? poll : this.finishClosing(poll);
  }

  private async opening(now: Poll): Promise<Poll> {
    const devices = await this.devices(now.definition);
    demandSingleVotes(now.definition, devices);
    return opening(now, devices);
  }

  private async finishOpening(poll: Poll): Promise<Poll> {
    const owner = await claimRoom(this.store.registry, poll);
    if (owner !== undefined) {
      await this.undoOpening(poll);
      const { room } = poll.definition;
      const why = `poll ${owner} is open in room ${room}, and only one poll at a time can be open in a room; close that poll first`;
      throw new Refusal('room-taken', why);
    }
    // Who was present at the opening does not change when the round is continued.
    const roll = isContinuing(poll) ? { present: undefined } : await this.brokers.rollCall(poll, 'open');
    if (!roll) return this.outcome(poll);
    // The content of the markers is stored before the first marker is written, so that a process that takes over writes the
    // same content.
    const noted = await this.note(poll, 'opening', (now) => ({
      ...(isContinuing(now) ? continuingTimes(now) : openingTimes(now)),
      presentAtOpen: now.presentAtOpen ?? roll.present,
      // The process that began the opening may have died with the key. No votes count yet, so a new one will do.
      ...(now.missingKey === undefined ? {} : { missingKey: undefined, pseudonymKey: openingKey(now) }),
    }));
    if (!noted) return this.outcome(poll);
    const { definition, round } = noted;
    await this.mark({
      type: 'open',
      poll: definition.poll,
      round,
      atMs: begunAtMs(noted) ?? 0,
      definition,
      record: recordOf(noted),
    });
    return this.advance(noted, 'opening', ({ draft: _, recount: __, ...now }) => ({ ...now, status: 'open' }));
  }

  private async finishClosing(poll: Poll): Promise<Poll> {
    if (!(await this.brokers.handedOver(poll))) return this.outcome(poll);
    const roll = await this.brokers.rollCall(poll, 'close');
    if (!roll) return this.outcome(poll);
    const noted = await this.note(poll, 'closing', (now) => ({
      closedAtMs: now.closedAtMs ?? Date.now(),
      presentAtClose: now.presentAtClose ?? roll.present,
    }));
    if (!noted) return this.outcome(poll);
    const { definition, round, closedAtMs = 0 } = noted;
    await this.mark({ type: 'close', poll: definition.poll, round, atMs: closedAtMs, record: recordOf(noted) });
    return this.advance(noted, 'closing', (now) => ({
      ...now,
      status: 'closed',
      ...closedKey(now),
    }));
  }

  /** The poll after another process finished or undid its opening or closing. */
  private async outcome(poll: Poll): Promise<Poll> {
    const { poll: id } = poll.definition;
    await this.polls.refresh(id);
    return this.polls.get(id) ?? poll;
  }

  /**
   * The registered devices that may vote in the poll; none if the brokers do not identify devices. A poll that depends on the
   * identity of devices needs brokers that do. @throws Refusal open-door
   */
  private async devices(definition: Definition): Promise<readonly Device[]> {
    if (!(await this.brokers.hasOpenDoor())) {
      if (definition.eligible === 'guests') return [];
      return (await this.store.registry.list<Device>('devices')).map(({ value }) => value);
    }
    if (!needsIdentity(definition)) return [];
    const why = `poll ${definition.poll} depends on who a device is (eligible, weighted or byGroup), but with an open door anyone could claim to be any device; start with POLLCAST_DOOR=devices`;
    throw new Refusal('open-door', why);
  }

  private async mark(marker: Marker): Promise<void> {
    const { log } = this.store;
    await Promise.all(Array.from({ length: log.partitions }, (_, partition) => log.append(partition, marker)));
  }

  /** Adds to the record of a round that is opening or closing; undefined if that was finished or undone meanwhile. */
  private note(poll: Poll, status: Status, what: (now: Poll) => Partial<Poll>): Promise<Poll | undefined> {
    return this.repository.change(poll.definition.poll, (now) =>
      now.status === status && stretchKey(now) === stretchKey(poll) ? { ...now, ...what(now) } : undefined,
    );
  }

  /** The second step of an opening or closing. If another process has already taken this step, the poll is left as it is. */
  private async advance(poll: Poll, from: Status, next: (now: Poll) => Poll): Promise<Poll> {
    const moved = await this.repository.change(poll.definition.poll, (now) =>
      now.status === from && stretchKey(now) === stretchKey(poll) ? next(now) : undefined,
    );
    return moved ?? this.polls.get(poll.definition.poll) ?? poll;
  }

  /** Undoes an opening for which no marker has been written yet. */
  private async undoOpening(poll: Poll): Promise<void> {
    await this.advance(poll, 'opening', (now) => (isContinuing(now) ? uninterrupted(now) : unopened(now)));
  }

  /**
   * Finishes interrupted openings and closings: at startup, all of them; later, those found at the same step in two consecutive
   * sweeps.
   */
  private async sweep(): Promise<void> {
    const { signal } = this.halt;
    let before = new Set<string>();
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const now = new Set<string>();
      for (const poll of this.polls.all()) {
        if (poll.status !== 'opening' && poll.status !== 'closing') continue;
        const step = `${stretchKey(poll)} ${poll.status}`;
        now.add(step);
        if (!signal.aborted && (isFirst || before.has(step))) await this.finish(poll);
      }
      before = now;
      await pause(SWEEP_EVERY_MS, signal);
    }
  }

  private async finish(poll: Poll): Promise<void> {
    const { poll: id } = poll.definition;
    try {
      this.log.info({ poll: id, status: poll.status }, 'finishing an interrupted opening or closing');
      await (poll.status === 'opening' ? this.finishOpening(poll) : this.finishClosing(poll));
    } catch (error) {
      this.log.warn({ err: error, poll: id }, 'could not finish an opening or closing; trying again');
    }
  }
}

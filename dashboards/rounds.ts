import { BROKER_ROLE, type BrokerFacts } from '../core/live/brokers.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Store } from '../core/store/store.ts';
import type { Marker } from '../core/voting/entry.ts';
import type { Poll, Status } from '../core/voting/poll.ts';
import { withRound } from '../core/voting/retention.ts';
import { roundKey } from '../core/voting/slice.ts';
import { Problem } from './problem.ts';

/** How long a request to close waits for brokers to hand in what they accepted, ms: longer than a broker's lease. */
const HAND_IN_LIMIT_MS = 15_000;
const HAND_IN_POLL_MS = 10;
/** How often openings and closings that somebody left half-way are looked for, ms. */
const SWEEP_EVERY_MS = 5_000;

/**
 * Opens and closes rounds. Each is two steps with a marker in every partition's log between them; all of it can be
 * repeated, so whoever finds one half-way (its process died) finishes it.
 */
export class Rounds {
  readonly name = 'rounds';
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly log: Log;
  private readonly halt = new AbortController();
  private sweeping: Promise<void> | undefined;

  constructor(store: Store, polls: PollBook, log: Log) {
    this.store = store;
    this.polls = polls;
    this.log = log.child({ part: 'rounds' });
  }

  async start(): Promise<void> {
    this.sweeping = this.sweep();
  }

  async stop(): Promise<void> {
    this.halt.abort();
    await this.sweeping;
  }

  /** Opens the next round of a draft or closed poll. @throws Problem 409 when it cannot be opened now */
  async open(id: string, from: 'draft' | 'closed'): Promise<Poll> {
    const poll = await this.move(id, [from], (now) => ({
      ...now,
      status: 'opening',
      round: Math.max(now.round, now.retiredRounds ?? 0) + 1,
      openedAtMs: Date.now(),
      closedAtMs: undefined,
      pastRounds: now.openedAtMs === undefined ? undefined : withRound(now.pastRounds ?? [], now),
    }));
    return this.finishOpening(poll);
  }

  /** Closes an open poll: every vote accepted until now counts, none after. @throws Problem 409 when it is not open */
  async close(id: string): Promise<Poll> {
    const poll = await this.move(id, ['open', 'closing'], (now) => ({ ...now, status: 'closing' }));
    return this.finishClosing(poll);
  }

  private async finishOpening(poll: Poll): Promise<Poll> {
    const { definition, round, openedAtMs = Date.now() } = poll;
    await this.claimRoom(poll);
    await this.mark({ type: 'open', poll: definition.poll, round, atMs: openedAtMs, definition });
    return this.advance(poll, 'opening', { ...poll, status: 'open' });
  }

  private async finishClosing(poll: Poll): Promise<Poll> {
    const { definition, round } = poll;
    await this.handedIn(definition.poll, round);
    const atMs = Date.now();
    await this.mark({ type: 'close', poll: definition.poll, round, atMs });
    return this.advance(poll, 'closing', { ...poll, status: 'closed', closedAtMs: atMs });
  }

  private async mark(marker: Marker): Promise<void> {
    const { log } = this.store;
    await Promise.all(Array.from({ length: log.partitions }, (_, partition) => log.append(partition, marker)));
  }

  /**
   * Waits until every broker that is present has handed in what it accepted for the round. One that died or was cut off
   * is not present, and cannot store, once its lease has run out. @throws Problem 503 when one takes too long
   */
  private async handedIn(poll: string, number: number): Promise<void> {
    const endMs = performance.now() + HAND_IN_LIMIT_MS;
    const round = roundKey(poll, number);
    for (;;) {
      // Another process finished it, and the brokers need not tell any more.
      if (this.polls.get(poll)?.status !== 'closing') return;
      const brokers = await this.store.presence.list(BROKER_ROLE);
      const missing = brokers.filter(({ facts }) => !(facts as BrokerFacts).handedIn.includes(round));
      if (missing.length === 0) return;
      if (performance.now() > endMs || this.halt.signal.aborted) {
        const names = missing.map(({ id }) => id).join(', ');
        const why = `broker ${names} has not handed in its votes yet; closing goes on by itself, look again in a moment`;
        throw new Problem(503, 'still-closing', why);
      }
      await pause(HAND_IN_POLL_MS);
    }
  }

  /** Changes a poll's status by compare-and-set, whatever else is written to it meanwhile. */
  private async move(id: string, from: readonly Status[], next: (now: Poll) => Poll): Promise<Poll> {
    for (;;) {
      const found = await this.store.registry.get<Poll>('polls', id);
      if (!found || found.value.deleted)
        throw new Problem(404, 'no-such-poll', `there is no poll ${JSON.stringify(id)}`);
      const { status } = found.value;
      if (!from.includes(status)) {
        throw new Problem(409, 'wrong-status', `poll ${id} is ${status}; this needs one that is ${from.join(' or ')}`);
      }
      const moved = next(found.value);
      if (await this.store.registry.put('polls', id, moved, found.version)) {
        await this.polls.refresh(id);
        return moved;
      }
    }
  }

  /** The second step of an opening or closing; when another process took it already, its outcome stands. */
  private async advance(poll: Poll, from: Status, next: Poll): Promise<Poll> {
    const { poll: id } = poll.definition;
    for (;;) {
      const found = await this.store.registry.get<Poll>('polls', id);
      if (found?.value.status !== from || found.value.round !== poll.round) break;
      // Only the definition may have changed meanwhile (its visibility); it stays as it is now.
      const moved = { ...next, definition: found.value.definition };
      if (await this.store.registry.put('polls', id, moved, found.version)) break;
    }
    await this.polls.refresh(id);
    return this.polls.get(id) ?? next;
  }

  /**
   * Takes the poll's room, in which one poll at a time is open. @throws Problem 409 when another poll has it; then the
   * opening is taken back
   */
  private async claimRoom(poll: Poll): Promise<void> {
    const { poll: id, room } = poll.definition;
    if (room === undefined) return;
    for (;;) {
      const claim = await this.store.registry.get<RoomClaim>('rooms', room);
      if (claim && claim.value.poll !== id && (await this.isOpenIn(claim.value.poll, room))) {
        await this.takeBack(poll);
        const why = `poll ${claim.value.poll} is open in room ${room}, and a room has one at a time; close it`;
        throw new Problem(409, 'room-taken', why);
      }
      if (await this.store.registry.put<RoomClaim>('rooms', room, { poll: id }, claim?.version ?? 0)) return;
    }
  }

  private async isOpenIn(id: string, room: string): Promise<boolean> {
    const found = await this.store.registry.get<Poll>('polls', id);
    if (!found || found.value.deleted) return false;
    return found.value.definition.room === room && isUnderWay(found.value.status);
  }

  /** No marker of the round was written: it never was. */
  private async takeBack(poll: Poll): Promise<void> {
    const round = poll.round - 1;
    const wasOpened = round > (poll.retiredRounds ?? 0);
    const pastRounds = [...(poll.pastRounds ?? [])];
    const times = pastRounds.pop() ?? { openedAtMs: undefined, closedAtMs: undefined };
    const status = wasOpened ? 'closed' : 'draft';
    const before: Poll = { ...poll, ...times, pastRounds, round: wasOpened ? round : 0, status };
    await this.advance(poll, 'opening', before);
  }

  /** Finishes what was left half-way: twice in a row at the same step means nobody is working on it. */
  private async sweep(): Promise<void> {
    const { signal } = this.halt;
    let before = new Set<string>();
    let waitMs = 0;
    while (!signal.aborted) {
      await pause(waitMs, signal);
      const now = new Set<string>();
      for (const poll of this.polls.all()) {
        if (poll.status !== 'opening' && poll.status !== 'closing') continue;
        const step = `${roundKey(poll.definition.poll, poll.round)} ${poll.status}`;
        now.add(step);
        if (!signal.aborted && (before.has(step) || waitMs === 0)) await this.finish(poll);
      }
      before = now;
      waitMs = SWEEP_EVERY_MS;
    }
  }

  private async finish(poll: Poll): Promise<void> {
    const { poll: id } = poll.definition;
    try {
      this.log.info({ poll: id, status: poll.status }, 'finishing what was left half-way');
      await (poll.status === 'opening' ? this.finishOpening(poll) : this.finishClosing(poll));
    } catch (error) {
      this.log.warn({ err: error, poll: id }, 'could not finish; trying again');
    }
  }
}

/** Which poll has a room. */
interface RoomClaim {
  readonly poll: string;
}

function isUnderWay(status: Status): boolean {
  return status === 'opening' || status === 'open' || status === 'closing';
}

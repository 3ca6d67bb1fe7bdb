import type { Device } from '../core/devices/device.ts';
import { asksPresence, BROKER_ROLE, type BrokerFacts, presenceKey } from '../core/live/brokers.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Store } from '../core/store/store.ts';
import { needsIdentity } from '../core/voting/electorate.ts';
import type { Marker } from '../core/voting/entry.ts';
import {
  type Definition,
  isUnderWay,
  NO_RECORD,
  type Poll,
  type RoundRecord,
  recordOf,
  type Status,
} from '../core/voting/poll.ts';
import { withRound } from '../core/voting/retention.ts';
import { type Roll, sumRolls } from '../core/voting/roll.ts';
import { roundKey } from '../core/voting/slice.ts';
import { Problem } from './problem.ts';
import { keyOfOpening, recordOfOpening, stopped, timesOfOpening } from './round-record.ts';

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
    const poll = await this.move(id, [from], async (now) => {
      await this.demandIdentities(now.definition);
      return {
        ...now,
        ...recordOfOpening(now, await this.devices(now.definition)),
        status: 'opening',
        round: Math.max(now.round, now.retiredRounds ?? 0) + 1,
        pseudonymKey: keyOfOpening(now),
        pastRounds: now.openedAtMs === undefined ? undefined : withRound(now.pastRounds ?? [], recordOf(now)),
      };
    });
    return this.finishOpening(poll);
  }

  /**
   * Closes an open poll: every vote accepted until now counts, none after; but for those that were pressed before and come
   * within the poll's grace. Closing it again ends the grace. @throws Problem 409 when it is not open
   */
  async close(id: string): Promise<Poll> {
    const wasOpen = this.polls.get(id)?.status === 'open';
    const poll = await this.move(id, ['open', 'grace', 'closing'], (now) =>
      // Who meant to close an open poll finds it closed by its time: that is not to end the grace.
      now.status === 'grace' && wasOpen ? now : stopped(now),
    );
    return poll.status === 'grace' ? poll : this.finishClosing(poll);
  }

  /** Closes a poll, or ends its grace, because its time has come; as it was seen, or not at all. */
  async closeDue(seen: Poll): Promise<Poll> {
    const poll = await this.move(seen.definition.poll, [seen.status], stopped, seen.round);
    return poll.status === 'grace' ? poll : this.finishClosing(poll);
  }

  private async finishOpening(poll: Poll): Promise<Poll> {
    await this.claimRoom(poll);
    const roll = await this.callRoll(poll, 'open');
    if (!roll) return this.outcome(poll);
    // What the markers tell is noted before the first of them, once: whoever goes on here tells the same.
    const noted = await this.note(poll, 'opening', (now) => ({
      ...timesOfOpening(now),
      presentAtOpen: now.presentAtOpen ?? roll.present,
    }));
    if (!noted) return this.outcome(poll);
    const { definition, round, openedAtMs = 0 } = noted;
    const record = recordOf(noted);
    await this.mark({ type: 'open', poll: definition.poll, round, atMs: openedAtMs, definition, record });
    // What its author left out does not matter any more.
    const { draft: _, ...kept } = noted;
    return this.advance(noted, 'opening', { ...kept, status: 'open' });
  }

  private async finishClosing(poll: Poll): Promise<Poll> {
    const key = roundKey(poll.definition.poll, poll.round);
    if (!(await this.told(poll, 'closing', ({ handedIn }) => handedIn.includes(key)))) return this.outcome(poll);
    const roll = await this.callRoll(poll, 'close');
    if (!roll) return this.outcome(poll);
    const noted = await this.note(poll, 'closing', (now) => ({
      closedAtMs: now.closedAtMs ?? Date.now(),
      presentAtClose: now.presentAtClose ?? roll.present,
    }));
    if (!noted) return this.outcome(poll);
    const { definition, round, closedAtMs = 0 } = noted;
    await this.mark({ type: 'close', poll: definition.poll, round, atMs: closedAtMs, record: recordOf(noted) });
    // From here on nobody can tell whose a secret ballot is.
    const pseudonymKey = definition.secrecy === 'secret' ? undefined : noted.pseudonymKey;
    return this.advance(noted, 'closing', { ...noted, status: 'closed', pseudonymKey });
  }

  /** What became of an opening or closing that somebody else finished or took back. */
  private async outcome(poll: Poll): Promise<Poll> {
    const { poll: id } = poll.definition;
    await this.polls.refresh(id);
    return this.polls.get(id) ?? poll;
  }

  /** Polls that go by who a device is need brokers that ask. @throws Problem 409 where one lets anybody in */
  private async demandIdentities(definition: Definition): Promise<void> {
    if (!needsIdentity(definition)) return;
    const brokers = await this.store.presence.list(BROKER_ROLE);
    if (!brokers.some(({ facts }) => (facts as BrokerFacts).door === 'open')) return;
    const why = `poll ${definition.poll} goes by who a device is (eligible, weighted or byGroup), and the door is open: anybody could say so; start with POLLCAST_DOOR=devices`;
    throw new Problem(409, 'open-door', why);
  }

  /** Every registered device, where a poll must know how many may vote. */
  private async devices({ eligible = 'anyone' }: Definition): Promise<readonly Device[]> {
    if (eligible === 'anyone' || eligible === 'guests') return [];
    return (await this.store.registry.list<Device>('devices')).map(({ value }) => value);
  }

  /** Asks every broker who is connected, where the poll wants to know; undefined when the step is over meanwhile. */
  private async callRoll(poll: Poll, when: 'open' | 'close'): Promise<{ present: Roll | undefined } | undefined> {
    if (!asksPresence(poll.definition, when)) return { present: undefined };
    const key = presenceKey(poll.definition.poll, poll.round, when);
    const status = when === 'open' ? 'opening' : 'closing';
    const brokers = await this.told(poll, status, ({ present }) => present[key] !== undefined);
    return brokers && { present: sumRolls(brokers.map(({ present }) => present[key] as Roll)) };
  }

  private async mark(marker: Marker): Promise<void> {
    const { log } = this.store;
    await Promise.all(Array.from({ length: log.partitions }, (_, partition) => log.append(partition, marker)));
  }

  /**
   * Waits until every broker that is present has told something of a round; what they tell, or undefined when another
   * process finished the step, and they need not tell any more. A broker that died or was cut off is not present, and cannot
   * store, once its lease has run out. @throws Problem 503 when one takes too long
   */
  private async told(
    poll: Poll,
    status: Status,
    has: (facts: BrokerFacts) => boolean,
  ): Promise<BrokerFacts[] | undefined> {
    const endMs = performance.now() + HAND_IN_LIMIT_MS;
    const { poll: id } = poll.definition;
    for (;;) {
      const now = this.polls.get(id);
      if (now?.status !== status || now.round !== poll.round) return undefined;
      const brokers = await this.store.presence.list(BROKER_ROLE);
      const facts = brokers.map((broker) => broker.facts as BrokerFacts);
      const missing = brokers.filter((_, i) => !has(facts[i] as BrokerFacts));
      if (missing.length === 0) return facts;
      if (performance.now() > endMs || this.halt.signal.aborted) {
        const names = missing.map((broker) => broker.id).join(', ');
        const why = `poll ${id} is ${status}: broker ${names} has not answered yet; it goes on by itself, look again in a moment`;
        throw new Problem(503, `still-${status}`, why);
      }
      await pause(HAND_IN_POLL_MS);
    }
  }

  /** Adds to what is kept of a round that is being opened or closed; undefined when that is over meanwhile. */
  private async note(poll: Poll, status: Status, what: (now: Poll) => RoundRecord): Promise<Poll | undefined> {
    try {
      return await this.move(poll.definition.poll, [status], (now) => ({ ...now, ...what(now) }), poll.round);
    } catch (error) {
      if (error instanceof Problem && error.code === 'wrong-status') return undefined;
      throw error;
    }
  }

  /**
   * Changes a poll by compare-and-set, whatever else is written to it meanwhile. @throws Problem 409 when it is not `from`
   * one of these statuses, or not in the round that is meant
   */
  private async move(
    id: string,
    from: readonly Status[],
    next: (now: Poll) => Poll | Promise<Poll>,
    round?: number,
  ): Promise<Poll> {
    for (;;) {
      const found = await this.store.registry.get<Poll>('polls', id);
      if (!found || found.value.deleted)
        throw new Problem(404, 'no-such-poll', `there is no poll ${JSON.stringify(id)}`);
      const { status } = found.value;
      if (!from.includes(status) || (round !== undefined && round !== found.value.round)) {
        throw new Problem(409, 'wrong-status', `poll ${id} is ${status}; this needs one that is ${from.join(' or ')}`);
      }
      const moved = await next(found.value);
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
    const record = recordOf({ ...poll, ...NO_RECORD, ...pastRounds.pop() });
    const status = wasOpened ? 'closed' : 'draft';
    const before: Poll = { ...poll, ...record, pastRounds, round: wasOpened ? round : 0, status };
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

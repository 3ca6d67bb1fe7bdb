import { MAX_BLIND_SEQUENCE, pseudonymised, pseudonymOf } from '../../core/devices/pseudonym.ts';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { Ballots } from '../../core/store/store.ts';
import { WITHDRAWN } from '../../core/voting/count/ballot.ts';
import { castOf, MAX_CHOICE_BYTES } from '../../core/voting/count/cast.ts';
import { partitionOf } from '../../core/voting/count/partition.ts';
import { type Vote, WITHDRAW } from '../../core/voting/count/vote.ts';
import type { Definition } from '../../core/voting/kinds/definition.ts';
import { kindOf } from '../../core/voting/kinds/index.ts';
import {
  castAttributesOf,
  type Elector,
  mandateVoter,
  needsIdentity,
  votersOf,
} from '../../core/voting/poll/electorate.ts';
import { leftOut } from '../../core/voting/poll/mandates.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { isTimeDependent } from '../../core/voting/result/result.ts';
import { isInterruptedAt } from '../../core/voting/rules/record.ts';
import { isRejection, type Reason, reject } from '../../core/voting/rules/rejection.ts';
import type { DeviceTopic } from '../../core/voting/rules/topics.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { Receipt } from '../outbound/receipts.ts';
import { Appender, type AppenderParts } from './appender.ts';
import { Numbers, type Place } from './numbers.ts';
import { type BallotPaper, decodePayload } from './payload.ts';

/** A vote as it was received. */
export interface Arrival {
  readonly device: string;
  /** What is known about the device. */
  readonly elector: Elector;
  readonly topic: Extract<DeviceTopic, { to: 'poll' | 'room' }> | undefined;
  readonly payload: Buffer;
  readonly dup: boolean;
  readonly retain: boolean;
  /** The number of the device's connection; see `Claim`. */
  readonly connection?: number | undefined;
  /** Identifies the packet; see `Vote.packet`. */
  readonly packet?: number | undefined;
  /** See `Vote.mayRepeat`. */
  readonly mayRepeat: boolean;
  /** True if there is reason to assume that the packet is sent again. */
  readonly isKnownToRepeat: boolean;
}

/** Called once, with the receipt, and with an error if the vote may not have been stored. */
export type Settled = (error: Error | undefined, receipt: Receipt) => void;

interface IntakeParts extends Omit<AppenderParts, 'partition'> {
  readonly polls: PollBook;
  readonly ballots: Ballots;
}

/**
 * Takes every vote through the same steps: decode, check, append, acknowledge. Invalid votes are appended as rejection counts,
 * so that everything received is accounted for.
 */
export class Intake {
  private readonly polls: PollBook;
  private readonly appenders: readonly Appender[];
  private readonly metrics: BrokerMetrics;
  private readonly numbers: Numbers;

  constructor(parts: IntakeParts) {
    this.numbers = new Numbers(parts.ballots);
    this.polls = parts.polls;
    this.metrics = parts.metrics;
    this.appenders = Array.from(
      { length: parts.log.partitions },
      (_, partition) => new Appender({ ...parts, partition }),
    );
  }

  receive(arrival: Arrival, settled: Settled): void {
    const { device, topic } = arrival;
    const poll = topic && this.pollOf(topic);
    const checked = this.check(arrival, poll);
    if (typeof checked === 'string') {
      const receipt = { poll: poll?.definition.poll ?? pollNamedBy(topic), rejected: checked };
      const round = poll && { poll: poll.definition.poll, round: poll.round };
      this.appenders[this.partitionOf(device)]?.rejection(round, checked, (error) => {
        if (error) this.metrics.failed.inc();
        else this.metrics.rejected.inc({ reason: checked });
        settled(error, receipt);
      });
      return;
    }
    const { definition, round, pseudonymKey } = poll as Poll;
    const { votes, without } = checked;
    const partition = this.partitionOf(pseudonymKey === undefined ? device : pseudonymOf(pseudonymKey, device));
    const logged = pseudonymKey === undefined ? votes : votes.map((vote) => pseudonymised(pseudonymKey, vote));
    const undecided = this.undecided(arrival, definition, logged, { partition, poll: definition.poll, round });
    const receipt = { poll: definition.poll, without, undecided };
    let open = votes.length;
    let failure: Error | undefined;
    for (const vote of logged) {
      this.appenders[partition]?.vote(definition.poll, round, vote, (error) => {
        if (error) this.metrics.failed.inc();
        else this.metrics.accepted.inc();
        failure ??= error;
        // A message may contain the votes of several mandates. It is acknowledged once all of these votes are stored.
        if (--open === 0) settled(failure, receipt);
      });
    }
  }

  /**
   * Tells whether only counting decides if a vote counts: because of the poll’s rules, because it may be sent again, or because
   * of its number.
   */
  private undecided(
    { isKnownToRepeat }: Arrival,
    { revote }: Definition,
    votes: readonly Vote[],
    place: Place,
  ): Receipt['undecided'] {
    if (revote !== 'last' || votes.some(({ choice }) => choice === WITHDRAWN)) return true;
    if (votes.every(({ n }) => n === undefined)) return isKnownToRepeat;
    const checks = votes.filter(({ n }) => n !== undefined).map((vote) => this.numbers.note(vote, place));
    if (checks.includes(false)) return true;
    const open = checks.filter((check) => typeof check === 'function');
    return open.length > 0 && (async () => (await Promise.all(open.map((isNewest) => isNewest()))).includes(false));
  }

  /** Resolves when everything received so far has been stored or has failed. */
  async drained(): Promise<void> {
    await Promise.all(this.appenders.map((appender) => appender.drained()));
  }

  private pollOf(topic: NonNullable<Arrival['topic']>): Poll | undefined {
    return topic.to === 'poll' ? this.polls.get(topic.poll) : this.polls.inRoom(topic.room);
  }

  private partitionOf(voter: string): number {
    return partitionOf(voter, this.appenders.length);
  }

  /** The votes in a message, one for each voter the device votes for, or the reason why the message is rejected. */
  private check(arrival: Arrival, poll: Poll | undefined): Reason | Accepted {
    const { elector, topic, payload, dup, retain, connection } = arrival;
    if (!poll) return topic?.to === 'room' ? 'no-open-poll' : 'unknown-poll';
    const { definition, status } = poll;
    if (status === 'draft' || status === 'opening') return 'not-open';
    if (status !== 'open' && status !== 'grace') return 'closed';
    // A retained vote is a mistake of the device: messages are retained for subscribers, but votes never reach them.
    if (retain) return 'retained';
    const paper = decodePayload(payload);
    if (isRejection(paper)) return paper.rejected;
    const { n, t } = paper;
    // The number of a vote says more than its packet.
    const packet = n === undefined ? arrival.packet : undefined;
    const mayRepeat = packet !== undefined && arrival.mayRepeat;
    // The device queued the vote in an earlier round, so it must not count in the current round.
    if (paper.round !== undefined && paper.round !== poll.round) return 'closed';
    const nowMs = Date.now();
    const late = isOver(poll, nowMs);
    if (late && !isInTime(poll, paper, nowMs)) return 'closed';
    // Fast path for the common case, in which nothing about the voter matters. It handles thousands of votes a second.
    if (!late && paper.mandate === undefined && poll.pseudonymKey === undefined && isPlainVote(elector, definition)) {
      const choice = choiceOf(paper.choice, poll);
      if (isRejection(choice)) return choice.rejected;
      return { votes: [{ device: arrival.device, choice, n, t, dup, connection, packet, mayRepeat }] };
    }
    const voters = votersOf(elector, definition);
    if (voters.length === 0) return 'not-eligible';
    const requested = paper.mandate === undefined ? undefined : voterOf(arrival.device, paper.mandate);
    const voting = requested === undefined ? voters : voters.filter(({ voter }) => voter === requested);
    if (voting.length === 0) return 'unknown-mandate';
    if (poll.pseudonymKey !== undefined && (paper.n ?? 0) > MAX_BLIND_SEQUENCE) return 'bad-sequence';
    const choice = choiceOf(paper.choice, poll);
    if (isRejection(choice)) return choice.rejected;
    const second = isTimeDependent(definition) ? Math.floor(nowMs / 1_000) : undefined;
    const votes = voting.map((voter) => {
      const attributes = { ...castAttributesOf(voter, poll), late, second };
      const cast = choice === WITHDRAWN ? choice : castOf(choice, attributes);
      return { device: voter.voter, choice: cast, n, t, dup, connection, packet, mayRepeat };
    });
    return { votes, without: requested === undefined ? leftOut(elector, definition) : undefined };
  }
}

/** The votes of a message that was accepted. */
interface Accepted {
  readonly votes: readonly Vote[];
  /** The voters of the device that may not vote in the poll; nothing was cast for them. */
  readonly without?: readonly string[] | undefined;
}

/** True if the device votes only for itself, and nothing has to be added to its choice. */
function isPlainVote({ mandates, weight }: Elector, definition: Definition): boolean {
  return mandates === undefined && weight === undefined && !isTimeDependent(definition) && !needsIdentity(definition);
}

/**
 * Checks the canonical form, which may be longer than the payload. A UTF-16 code unit takes at most three bytes, so the bytes
 * of a short choice need not be counted.
 */
function isTooLong(choice: string): boolean {
  return choice.length * 3 > MAX_CHOICE_BYTES && Buffer.byteLength(choice) > MAX_CHOICE_BYTES;
}

/** True if voting is over according to the poll’s status or its closing time. */
function isOver({ status, closesAtMs = Number.POSITIVE_INFINITY }: Poll, nowMs: number): boolean {
  return status === 'grace' || nowMs >= closesAtMs;
}

/** True if the vote arrived within the grace period and was made while the poll was open, according to the device’s clock. */
function isInTime(poll: Poll, { t }: BallotPaper, nowMs: number): boolean {
  const { definition, stoppedAtMs, closesAtMs, openedAtMs = 0 } = poll;
  const endMs = stoppedAtMs ?? closesAtMs ?? 0;
  const graceMs = definition.lateGraceMs ?? 0;
  const isWithin = t !== undefined && t >= openedAtMs && t <= endMs && nowMs < endMs + graceMs;
  return isWithin && !isInterruptedAt(poll, t);
}

function choiceOf(text: string, { definition }: Poll) {
  if (text === WITHDRAW && definition.withdraw) return WITHDRAWN;
  const choice = kindOf(definition).parse(text, definition);
  return !isRejection(choice) && isTooLong(choice) ? reject('too-long') : choice;
}

/** The voter that a device means by a mandate. If the mandate is the device’s own id, this is the device itself. */
function voterOf(device: string, mandate: string): string {
  return mandate === device ? device : mandateVoter(device, mandate);
}

function pollNamedBy(topic: Arrival['topic']): string {
  if (!topic) return '-';
  return topic.to === 'poll' ? topic.poll : '-';
}

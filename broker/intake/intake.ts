import { MAX_BLIND_SEQUENCE, pseudonymised, pseudonymOf } from '../../core/devices/pseudonym.ts';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { Ballots } from '../../core/store/store.ts';
import { WITHDRAWN } from '../../core/voting/count/ballot.ts';
import { castOf } from '../../core/voting/count/cast.ts';
import { FLAG, NONE } from '../../core/voting/count/entries/columns.ts';
import { partitionOf } from '../../core/voting/count/partition.ts';
import type { Vote } from '../../core/voting/count/vote.ts';
import type { Definition } from '../../core/voting/kinds/definition.ts';
import {
  castAttributesOf,
  type Elector,
  isInRoom,
  mandateVoter,
  needsIdentity,
  votersOf,
} from '../../core/voting/poll/electorate.ts';
import { leftOut } from '../../core/voting/poll/mandates.ts';
import { lacksKey, type Poll } from '../../core/voting/poll/poll.ts';
import { isTimeDependent } from '../../core/voting/result/result.ts';
import { isInterruptedAt } from '../../core/voting/rules/record.ts';
import { isRejection, type Reason } from '../../core/voting/rules/rejection.ts';
import type { Receipt } from '../outbound/receipts.ts';
import { Appender, type AppenderParts } from './appender.ts';
import { Message, Together } from './message.ts';
import { MissingKeys } from './missing-keys.ts';
import { Numbers, type Place } from './numbers.ts';
import { OpenPolls } from './open-polls.ts';
import { type BallotPaper, decodePayload } from './payload.ts';
import { Postponed } from './postponed.ts';
import { WritePace } from './write-pace.ts';

interface IntakeParts extends Omit<AppenderParts, 'partition' | 'pace'> {
  readonly polls: PollBook;
  readonly ballots: Ballots;
  /** If absent, this intake has its own. */
  readonly missingKeys?: MissingKeys | undefined;
}

/**
 * Takes every vote through the same steps: decode, check, append, acknowledge. Invalid votes are appended as rejection counts,
 * so that everything received is accounted for. Votes that cannot be stored now, such as those of a secret round whose key another
 * process may have, are neither stored nor acknowledged.
 */
export class Intake {
  /** The message that is taken in; fill it, and call `receive`. */
  readonly message = new Message();
  private readonly polls: PollBook;
  private readonly appenders: readonly Appender[];
  private readonly numbers: Numbers;
  private readonly open = new OpenPolls();
  private readonly postponed: Postponed;
  private readonly missingKeys: MissingKeys;

  constructor(parts: IntakeParts) {
    this.numbers = new Numbers(parts.ballots);
    this.polls = parts.polls;
    this.postponed = new Postponed(parts.metrics);
    this.missingKeys = parts.missingKeys ?? new MissingKeys(parts.polls);
    const pace = new WritePace();
    this.appenders = Array.from(
      { length: parts.log.partitions },
      (_, partition) => new Appender({ ...parts, partition, pace }),
    );
  }

  /** Takes in `message`. Nothing of it is needed afterwards. */
  receive(): void {
    const { message } = this;
    message.reset();
    const { topic } = message;
    const poll = topic && this.pollOf(topic);
    if (poll && lacksKey(poll)) return this.receiveKeyless(message, poll);
    const reason = this.check(message, poll);
    if (reason !== undefined) this.reject(message, poll, reason);
    else this.accept(message, poll as Poll);
  }

  /** Takes in a vote in a secret round whose key is missing here. Where no process has the key, the round is not open any more. */
  private receiveKeyless(message: Message, poll: Poll): void {
    const { poll: id } = poll.definition;
    if (message.isTooFast) this.reject(message, poll, 'too-fast');
    else if (this.missingKeys.isExpected(id)) this.postponed.add(id, message.sender, message.pending);
    else this.reject(message, poll, 'not-open');
  }

  private reject(message: Message, poll: Poll | undefined, reason: Reason): void {
    const { device, topic, sender, pending } = message;
    const receipt = { poll: poll?.definition.poll ?? pollNamedBy(topic), rejected: reason };
    const round = poll && { poll: poll.definition.poll, round: poll.round };
    this.appenders[this.partitionOf(device)]?.rejection(round, reason, sender, pending, receipt);
  }

  private accept(message: Message, poll: Poll): void {
    const { definition, round, pseudonymKey } = poll;
    const { device, voters, choices, connection, packetId, packetHash, n, t, pending } = message;
    const blind = pseudonymKey === undefined ? undefined : blinded(message, pseudonymKey);
    const partition = this.partitionOf(pseudonymKey === undefined ? device : pseudonymOf(pseudonymKey, device));
    const receipt = this.receiptOf(message, poll, blind, partition);
    const appender = this.appenders[partition] as Appender;
    const sender = voters.length === 1 ? message.sender : new Together(message.sender, voters.length);
    const flags = (message.dup ? FLAG.dup : 0) + (message.mayRepeat ? FLAG.mayRepeat : 0);
    for (let i = 0; i < voters.length; i++) {
      const votes = appender.take(definition.poll, round, sender, pending, receipt);
      if (blind) votes.addVote(blind[i] as Vote);
      else {
        const [voter, choice] = [voters[i] as string, choices[i] as string];
        votes.add(voter, choice, connection, packetId, packetHash, n, t, flags);
      }
    }
  }

  /**
   * The receipt of an accepted message. It says whether only counting decides if a vote counts: because of the poll’s rules,
   * because it may be sent again, or because of its number.
   */
  private receiptOf(message: Message, poll: Poll, blind: readonly Vote[] | undefined, partition: number): Receipt {
    const { definition, round } = poll;
    const { without, choices, n } = message;
    const { accepted, recorded } = this.open.of(poll);
    if (definition.revote !== 'last' || choices.includes(WITHDRAWN))
      return without ? { ...recorded, without } : recorded;
    if (n === NONE) {
      const receipt = message.isKnownToRepeat ? recorded : accepted;
      return without ? { ...receipt, without } : receipt;
    }
    const undecided = this.isOutdated(blind ?? message.votes(), { partition, poll: definition.poll, round });
    return { poll: definition.poll, without, undecided };
  }

  /** Whether the numbers of votes are lower than earlier ones, or a way to find out. */
  private isOutdated(votes: readonly Vote[], place: Place): Receipt['undecided'] {
    const checks = votes.map((vote) => this.numbers.note(vote, place));
    if (checks.includes(false)) return true;
    const open = checks.filter((check) => typeof check === 'function');
    return open.length > 0 && (async () => (await Promise.all(open.map((isNewest) => isNewest()))).includes(false));
  }

  /** Resolves when everything received so far has been stored or has failed. What is postponed fails at once. */
  async drained(): Promise<void> {
    this.postponed.endAll();
    await Promise.all(this.appenders.map((appender) => appender.drained()));
  }

  /** Call when nothing more comes in. */
  close(): void {
    this.postponed.endAll();
    this.missingKeys.close();
  }

  private pollOf(topic: NonNullable<Message['topic']>): Poll | undefined {
    return topic.to === 'poll' ? this.polls.get(topic.poll) : this.polls.inRoom(topic.room);
  }

  private partitionOf(voter: string): number {
    return partitionOf(voter, this.appenders.length);
  }

  /** Adds the votes to the message, one for each voter the device votes for, or returns why the message is rejected. */
  private check(message: Message, poll: Poll | undefined): Reason | undefined {
    const { elector, topic, device } = message;
    if (!poll) return topic?.to === 'room' ? 'no-open-poll' : 'unknown-poll';
    const { definition, status } = poll;
    if (status === 'draft' || status === 'opening') return 'not-open';
    if (status !== 'open' && status !== 'grace') return 'closed';
    if (message.isTooFast) return 'too-fast';
    // A retained vote is a mistake of the device: messages are retained for subscribers, but votes never reach them.
    if (message.retain) return 'retained';
    const paper = decodePayload(message.payload);
    if (isRejection(paper)) return paper.rejected;
    message.n = paper.n ?? NONE;
    message.t = paper.t ?? NONE;
    // The number of a vote says more than its packet.
    if (paper.n !== undefined) message.packetId = NONE;
    if (message.packetId === NONE) message.mayRepeat = false;
    // The device queued the vote in an earlier round, so it must not count in the current round.
    if (paper.round !== undefined && paper.round !== poll.round) return 'closed';
    const nowMs = Date.now();
    const late = isOver(poll, nowMs);
    if (late && !isInTime(poll, paper, nowMs)) return 'closed';
    // Fast path for the common case, in which nothing about the voter matters. It handles thousands of votes a second.
    if (!late && paper.mandate === undefined && poll.pseudonymKey === undefined && isPlainVote(elector, definition)) {
      const choice = this.open.choice(paper.choice, poll);
      if (isRejection(choice)) return choice.rejected;
      message.add(device, choice);
      return undefined;
    }
    return this.checkVoters(message, poll, paper, nowMs, late);
  }

  private checkVoters(
    message: Message,
    poll: Poll,
    paper: BallotPaper,
    nowMs: number,
    late: boolean,
  ): Reason | undefined {
    const { elector, device } = message;
    const { definition } = poll;
    const voters = votersOf(elector, definition);
    if (voters.length === 0) return 'not-eligible';
    const requested = paper.mandate === undefined ? undefined : voterOf(device, paper.mandate);
    const voting = requested === undefined ? voters : voters.filter(({ voter }) => voter === requested);
    if (voting.length === 0) return 'unknown-mandate';
    if (poll.pseudonymKey !== undefined && (paper.n ?? 0) > MAX_BLIND_SEQUENCE) return 'bad-sequence';
    const choice = this.open.choice(paper.choice, poll);
    if (isRejection(choice)) return choice.rejected;
    const second = isTimeDependent(definition) ? Math.floor(nowMs / 1_000) : undefined;
    for (const voter of voting) {
      const attributes = { ...castAttributesOf(voter, poll), late, second };
      message.add(voter.voter, choice === WITHDRAWN ? choice : castOf(choice, attributes));
    }
    if (requested === undefined) message.without = leftOut(elector, definition);
    return undefined;
  }
}

/** The votes of a message under the pseudonyms of their voters. */
function blinded(message: Message, pseudonymKey: string): Vote[] {
  return message.votes().map((vote) => pseudonymised(pseudonymKey, vote));
}

/** True if the device votes only for itself, and nothing has to be added to its choice. */
function isPlainVote(elector: Elector, definition: Definition): boolean {
  const { mandates, weight } = elector;
  if (mandates !== undefined || weight !== undefined || !isInRoom(elector, definition)) return false;
  return !isTimeDependent(definition) && !needsIdentity(definition);
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

/** The voter that a device means by a mandate. If the mandate is the device’s own id, this is the device itself. */
function voterOf(device: string, mandate: string): string {
  return mandate === device ? device : mandateVoter(device, mandate);
}

function pollNamedBy(topic: Message['topic']): string {
  if (!topic) return '-';
  return topic.to === 'poll' ? topic.poll : '-';
}

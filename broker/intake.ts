import { MAX_BLIND_SEQUENCE, pseudonymOf, underPseudonym } from '../core/devices/pseudonym.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { VoteLog } from '../core/store/store.ts';
import { castOf, MAX_CAST_BYTES } from '../core/voting/cast.ts';
import { type Elector, mandateVoter, needsIdentity, standingOf, votersOf } from '../core/voting/electorate.ts';
import { WITHDRAWN } from '../core/voting/fold.ts';
import { kinds } from '../core/voting/kinds/index.ts';
import { partitionOf } from '../core/voting/partition.ts';
import type { Definition, Poll } from '../core/voting/poll.ts';
import { isRejection, type Reason, reject } from '../core/voting/rejection.ts';
import type { DeviceTopic } from '../core/voting/topics.ts';
import type { Vote } from '../core/voting/vote.ts';
import { Appender } from './appender.ts';
import type { Lease } from './attendance.ts';
import type { BrokerMetrics } from './metrics.ts';
import { type Ballotpaper, decodePayload } from './payload.ts';

/** A vote as it came over the wire. */
export interface Arrival {
  readonly device: string;
  /** What is known of the device. */
  readonly elector: Elector;
  readonly topic: Extract<DeviceTopic, { to: 'poll' | 'room' }> | undefined;
  readonly payload: Buffer;
  readonly dup: boolean;
  readonly retain: boolean;
  /** The number of the device's connection; see `VoteLog.nextConnection`. */
  readonly connection?: number | undefined;
}

/** What became of an arrival: it is on the log, as a vote or as a counted rejection. */
export interface Verdict {
  /** The poll it was meant for; `-` when it named none. */
  readonly poll: string;
  /** Absent: accepted. */
  readonly rejected?: Reason | undefined;
}

/** The longest choice, bytes; its standing comes to it. */
const MAX_CHOICE_BYTES = MAX_CAST_BYTES - 128;

/** Takes a ballot back. */
const WITHDRAW = '-';

/** Called once: with a verdict when it is durable, with an error when that is not known. */
export type Settled = (error: Error | undefined, verdict: Verdict) => void;

/**
 * Decode, check, append, acknowledge: the one way a vote takes, whoever calls. Invalid votes take it too, as counts,
 * so that nothing that was received is unaccounted for.
 */
export class Intake {
  private readonly polls: PollBook;
  private readonly appenders: readonly Appender[];
  private readonly metrics: BrokerMetrics;

  constructor(polls: PollBook, log: VoteLog, producer: string, lease: Lease, metrics: BrokerMetrics) {
    this.polls = polls;
    this.metrics = metrics;
    this.appenders = Array.from({ length: log.partitions }, (_, p) => new Appender(log, p, producer, lease, metrics));
  }

  receive(arrival: Arrival, settled: Settled): void {
    const { device, topic } = arrival;
    const appender = this.appenderOf(device);
    const poll = topic && this.pollOf(topic);
    const checked = this.check(arrival, poll);
    if (typeof checked === 'string') {
      const verdict = { poll: poll?.definition.poll ?? named(topic), rejected: checked };
      const round = poll && { poll: poll.definition.poll, round: poll.round };
      appender.rejection(round, checked, (error) => {
        if (error) this.metrics.failed.inc();
        else this.metrics.rejected.inc({ reason: checked });
        settled(error, verdict);
      });
      return;
    }
    const { definition, round, pseudonymKey } = poll as Poll;
    const verdict = { poll: definition.poll };
    const home = pseudonymKey === undefined ? appender : this.appenderOf(pseudonymOf(pseudonymKey, device));
    let open = checked.length;
    let failure: Error | undefined;
    for (const vote of checked) {
      home.vote(
        definition.poll,
        round,
        pseudonymKey === undefined ? vote : underPseudonym(pseudonymKey, vote),
        (error) => {
          if (error) this.metrics.failed.inc();
          else this.metrics.accepted.inc();
          failure ??= error;
          // A message may hold the votes of several mandates; it is acknowledged when all of them are stored.
          if (--open === 0) settled(failure, verdict);
        },
      );
    }
  }

  /** Resolves when every arrival so far is settled. */
  async drained(): Promise<void> {
    await Promise.all(this.appenders.map((appender) => appender.drained()));
  }

  private pollOf(topic: NonNullable<Arrival['topic']>): Poll | undefined {
    return topic.to === 'poll' ? this.polls.get(topic.poll) : this.polls.inRoom(topic.room);
  }

  private appenderOf(voter: string): Appender {
    return this.appenders[partitionOf(voter, this.appenders.length)] as Appender;
  }

  /** The votes in an arrival, one for each voter that the device votes for, or why there are none. */
  private check(arrival: Arrival, poll: Poll | undefined): Reason | Vote[] {
    const { elector, topic, payload, dup, retain, connection } = arrival;
    if (!poll) return topic?.to === 'room' ? 'no-open-poll' : 'unknown-poll';
    const { definition, status } = poll;
    if (status === 'draft' || status === 'opening') return 'not-open';
    if (status !== 'open' && status !== 'grace') return 'closed';
    // A retained vote would be delivered to whoever subscribes, and counted once: neither is meant.
    if (retain) return 'retained';
    const paper = decodePayload(payload);
    if (isRejection(paper)) return paper.rejected;
    // It was kept while its round ended: in another one it was not meant.
    if (paper.round !== undefined && paper.round !== poll.round) return 'closed';
    const nowMs = Date.now();
    const late = isOver(poll, nowMs);
    if (late && !isInTime(poll, paper, nowMs)) return 'closed';
    // Most polls ask nothing of who votes: the way that thousands of votes a second take.
    if (!late && paper.mandate === undefined && poll.pseudonymKey === undefined && asksNothing(elector, definition)) {
      const choice = choiceOf(paper.choice, poll);
      if (isRejection(choice)) return choice.rejected;
      return [{ device: arrival.device, choice, n: paper.n, t: paper.t, dup, connection }];
    }
    const voters = votersOf(elector, definition);
    if (voters.length === 0) return 'not-eligible';
    const asked = paper.mandate === undefined ? undefined : voterOf(arrival.device, paper.mandate);
    const voting = asked === undefined ? voters : voters.filter(({ voter }) => voter === asked);
    if (voting.length === 0) return 'unknown-mandate';
    if (poll.pseudonymKey !== undefined && (paper.n ?? 0) > MAX_BLIND_SEQUENCE) return 'bad-sequence';
    const choice = choiceOf(paper.choice, poll);
    if (isRejection(choice)) return choice.rejected;
    const second = definition.kind === 'pulse' ? Math.floor(nowMs / 1_000) : undefined;
    return voting.map((voter) => {
      const standing = { ...standingOf(voter, poll), late, second };
      const cast = choice === WITHDRAWN ? choice : castOf(choice, standing);
      return { device: voter.voter, choice: cast, n: paper.n, t: paper.t, dup, connection };
    });
  }
}

/** True where a vote is the device's own and is cast with nothing but its choice. */
function asksNothing({ mandates, weight }: Elector, definition: Definition): boolean {
  return mandates === undefined && weight === undefined && definition.kind !== 'pulse' && !needsIdentity(definition);
}

/** One form of a choice may be longer than what was sent. A character has three bytes at most, of a pair two each. */
function isTooLong(choice: string): boolean {
  return choice.length * 3 > MAX_CHOICE_BYTES && Buffer.byteLength(choice) > MAX_CHOICE_BYTES;
}

/** True once voting is over, by the poll's status or by the time that was set for it. */
function isOver({ status, closesAtMs = Number.POSITIVE_INFINITY }: Poll, nowMs: number): boolean {
  return status === 'grace' || nowMs >= closesAtMs;
}

/** True for a vote that was pressed while voting was open, by its device's clock, and came before the grace is over. */
function isInTime(
  { definition, stoppedAtMs, closesAtMs, openedAtMs = 0 }: Poll,
  { t }: Ballotpaper,
  nowMs: number,
): boolean {
  const endMs = stoppedAtMs ?? closesAtMs ?? 0;
  const graceMs = definition.lateGraceMs ?? 0;
  return t !== undefined && t >= openedAtMs && t <= endMs && nowMs < endMs + graceMs;
}

function choiceOf(text: string, { definition }: Poll) {
  if (text === WITHDRAW && definition.withdraw) return WITHDRAWN;
  const choice = kinds[definition.kind].parse(text, definition);
  return !isRejection(choice) && isTooLong(choice) ? reject('too-long') : choice;
}

/** Who votes when a device names a mandate: itself by its own id, or the mandate. */
function voterOf(device: string, mandate: string): string {
  return mandate === device ? device : mandateVoter(device, mandate);
}

function named(topic: Arrival['topic']): string {
  if (!topic) return '-';
  return topic.to === 'poll' ? topic.poll : '-';
}

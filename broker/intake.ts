import type { PollBook } from '../core/live/polls.ts';
import type { VoteLog } from '../core/store/store.ts';
import { kinds } from '../core/voting/kinds/index.ts';
import { partitionOf } from '../core/voting/partition.ts';
import type { Poll } from '../core/voting/poll.ts';
import { isRejection, type Reason } from '../core/voting/rejection.ts';
import type { DeviceTopic } from '../core/voting/topics.ts';
import { Appender } from './appender.ts';
import type { Lease } from './attendance.ts';
import type { BrokerMetrics } from './metrics.ts';
import { decodePayload } from './payload.ts';

/** A vote as it came over the wire. */
export interface Arrival {
  readonly device: string;
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
    const appender = this.appenders[partitionOf(device, this.appenders.length)] as Appender;
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
    const { definition, round } = poll as Poll;
    const verdict = { poll: definition.poll };
    appender.vote(definition.poll, round, checked, (error) => {
      if (error) this.metrics.failed.inc();
      else this.metrics.accepted.inc();
      settled(error, verdict);
    });
  }

  /** Resolves when every arrival so far is settled. */
  async drained(): Promise<void> {
    await Promise.all(this.appenders.map((appender) => appender.drained()));
  }

  private pollOf(topic: NonNullable<Arrival['topic']>): Poll | undefined {
    return topic.to === 'poll' ? this.polls.get(topic.poll) : this.polls.inRoom(topic.room);
  }

  /** The vote in an arrival, or why there is none. */
  private check({ device, topic, payload, dup, retain, connection }: Arrival, poll: Poll | undefined) {
    if (!poll) return topic?.to === 'room' ? 'no-open-poll' : 'unknown-poll';
    if (poll.status === 'draft' || poll.status === 'opening') return 'not-open';
    if (poll.status !== 'open') return 'closed';
    // A retained vote would be delivered to whoever subscribes, and counted once: neither is meant.
    if (retain) return 'retained';
    const paper = decodePayload(payload);
    if (isRejection(paper)) return paper.rejected;
    const choice = kinds[poll.definition.kind].parse(paper.choice, poll.definition);
    if (isRejection(choice)) return choice.rejected;
    return { device, choice, n: paper.n, t: paper.t, dup, connection };
  }
}

function named(topic: Arrival['topic']): string {
  if (!topic) return '-';
  return topic.to === 'poll' ? topic.poll : '-';
}

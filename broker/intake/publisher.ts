import type { PublishPacket } from 'aedes';
import type { Log } from '../../core/runtime/log.ts';
import { NONE } from '../../core/voting/count/entries/columns.ts';
import type { Allowance } from '../../core/waiting/allowance.ts';
import type { Allowances } from '../../core/waiting/allowances.ts';
import type { Pending } from '../connection/acknowledgements.ts';
import type { Connection } from '../connection/connection.ts';
import { GateError } from '../connection/gate-owner.ts';
import { CODE } from '../connection/mqtt5/codes.ts';
import type { Permissions, Publication } from '../connection/permissions.ts';
import type { Receiver } from '../connection/receiver.ts';
import { GATE_LIMITS } from '../connection/wire/limits.ts';
import type { Publish } from '../connection/wire/publish.ts';
import { type Receipt, sendReceipt } from '../outbound/receipts.ts';
import type { Watch } from '../watch/watch.ts';
import type { Intake } from './intake.ts';
import type { Sender } from './message.ts';
import { contentHash, MAX_REPEATED, topicHash } from './packets.ts';
import { TryAgain } from './postponed.ts';

/** Maximum number of packets at QoS 2 that a device may leave without PUBREL. */
export const MAX_HELD = 1_000;

/** What the publishers of a broker share. */
export interface Shared {
  readonly intake: Intake;
  readonly permissions: Permissions;
  readonly watch: Watch;
  /** How many votes each device may still send; undefined if that is not limited. */
  readonly allowances: Allowances | undefined;
  readonly log: Log;
  /** Handles a status of a device. */
  status(device: string, payload: Buffer): void;
  /** Publishes a message to subscribers. */
  readonly deliver: (packet: PublishPacket, done: (error?: Error) => void) => void;
  /** Reports that a vote could not be stored. */
  failed(error: Error): void;
}

type VoteTopic = Extract<Publication, { is: 'vote' }>['topic'];

const FORBIDDEN: Publication = { is: 'forbidden' };

/** What one device publishes over one connection. */
export class Publisher implements Receiver, Sender {
  private readonly shared: Shared;
  private readonly device: string;
  private readonly connection: Connection;
  /** The last topic and what it is for, because devices repeat their topics. */
  private topic: string | undefined;
  private publication: Publication = FORBIDDEN;
  private topicHash = 0;
  /** The number of packets at QoS 1 or 2 so far. */
  private published = 0;
  /** How many votes the device may still send; set with its first vote, because most connections are idle. */
  private allowance: Allowance | undefined;

  constructor(shared: Shared, connection: Connection) {
    this.shared = shared;
    this.device = connection.clientId ?? '';
    this.connection = connection;
  }

  publish(packet: Publish): void {
    const { gate, isEnding } = this.connection;
    // A newer connection of the device gets it again. Closing now would leave no time to acknowledge what was accepted before.
    if (isEnding) return gate.settle(1);
    const pending = gate.acknowledgements.publish(packet.qos, packet.id);
    try {
      this.take(packet, pending);
    } catch (error) {
      this.shared.log.error({ err: error, device: this.device }, 'could not process a packet');
      gate.acknowledgements.fail(pending, error as Error);
    }
  }

  release(id: number): void {
    const { gate, isEnding } = this.connection;
    if (isEnding) gate.settle(1);
    else gate.acknowledgements.release(id);
  }

  private take(packet: Publish, pending: Pending): void {
    const { device, connection, shared } = this;
    const { acknowledgements } = connection.gate;
    const { topic, id, qos } = packet;
    const what = this.classify(topic);
    if (what.is === 'forbidden') {
      shared.watch.refused(device, 'topic', 'a message on a topic that devices may not use');
      // Unlike MQTT 3.1.1, MQTT 5 can refuse the message alone. The device would send it again after a reconnect.
      if (connection.gate.mqtt5) return acknowledgements.settle(pending, 'topic');
      connection.because('topic');
      acknowledgements.fail(pending, new Error(`publishing to ${topic} is not allowed`));
    } else if (qos === 2 && !acknowledgements.hold(id)) {
      // Whatever became of the first one, its acknowledgement comes first.
      acknowledgements.settle(pending);
    } else if (acknowledgements.held > MAX_HELD) {
      connection.gate.sayWhy(CODE.receiveMaximum, 'packets at QoS 2 were not released');
      acknowledgements.fail(pending, new GateError(`more than ${MAX_HELD} packets at QoS 2 without PUBREL`));
    } else if (what.is === 'status') {
      shared.status(device, packet.payload);
      acknowledgements.settle(pending);
    } else if (what.is === 'for others') {
      this.pass(packet, pending);
    } else {
      this.vote(packet, what.topic, pending);
    }
  }

  private vote(packet: Publish, topic: VoteTopic, pending: Pending): void {
    const { connection, shared } = this;
    const { qos, isDup, payload } = packet;
    const { elector, number = NONE, before } = connection;
    const isFirst = qos > 0 && this.published++ < MAX_REPEATED;
    const { message } = shared.intake;
    message.device = this.device;
    message.elector = elector ?? { device: message.device, isRegistered: false, isGuest: false };
    message.topic = topic;
    message.payload = payload;
    message.dup = isDup;
    message.retain = packet.isRetained;
    message.connection = number;
    // At QoS 0, no packet is sent again.
    message.packetId = qos === 0 ? NONE : packet.id;
    message.packetHash = qos === 0 ? 0 : contentHash(this.topicHash, payload);
    message.mayRepeat = isFirst && before !== 'left';
    message.isKnownToRepeat = isDup || (isFirst && before === 'lost');
    message.isTooFast = this.isTooFast(message.mayRepeat || (isDup && this.published <= GATE_LIMITS.inFlight));
    message.sender = this;
    message.pending = pending;
    shared.intake.receive();
  }

  /**
   * True if the device sends more votes than it may.
   *
   * @param mayBeCopy true if the vote may be a copy of one that was stored but not acknowledged. It is never refused, because the
   * device would hear that a vote that counts was rejected. There can be only so many in a connection.
   */
  private isTooFast(mayBeCopy: boolean): boolean {
    const { allowances } = this.shared;
    if (!allowances) return false;
    const nowMs = performance.now();
    this.allowance ??= allowances.of(this.device, nowMs);
    return !this.allowance.takeIf(1, nowMs) && !mayBeCopy;
  }

  settled(pending: Pending, receipt: Receipt, error: Error | undefined): void {
    const { device, connection, shared } = this;
    const { acknowledgements } = connection.gate;
    if (error) {
      const why = error instanceof TryAgain ? error.message : 'votes cannot be stored at the moment';
      connection.because('store', undefined, why);
      shared.failed(error);
      acknowledgements.fail(pending, error);
      return;
    }
    shared.watch.voted(device, receipt);
    acknowledgements.settle(pending, receipt.rejected);
    if (connection.client) sendReceipt(connection.client, receipt);
  }

  /** Passes a message on to subscribers. */
  private pass({ topic, payload, qos, isRetained: retain }: Publish, pending: Pending): void {
    const { acknowledgements } = this.connection.gate;
    const message = { cmd: 'publish' as const, topic, payload: Buffer.from(payload), qos, retain, dup: false };
    this.shared.deliver(message, (error) =>
      error ? acknowledgements.fail(pending, error) : acknowledgements.settle(pending),
    );
  }

  private classify(topic: string): Publication {
    if (topic !== this.topic) {
      this.topic = topic;
      this.topicHash = topicHash(topic);
      this.publication = this.shared.permissions.publication(topic, this.device);
    }
    return this.publication;
  }
}

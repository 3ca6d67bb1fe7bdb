import type { Client, PublishPacket } from 'aedes';
import type { Log } from '../../core/runtime/log.ts';
import type { Connection } from '../connection/connection.ts';
import type { Connections } from '../connection/connections.ts';
import { publication } from '../connection/permissions.ts';
import { sendReceipt } from '../outbound/receipts.ts';
import type { Watch } from '../watch/watch.ts';
import type { DeviceStatuses } from './device-statuses.ts';
import type { Intake } from './intake.ts';
import { loggedPacket, MAX_REPEATED } from './packets.ts';

/** Minimum interval in ms between reports of a failing log, because thousands of votes a second may fail. */
const WARN_EVERY_MS = 1_000;

interface PublishingParts {
  readonly intake: Intake;
  readonly statuses: DeviceStatuses;
  readonly connections: Connections;
  readonly watch: Watch;
  readonly log: Log;
}

/** Handles PUBLISH packets: processes votes and device statuses, and refuses everything else. */
export class Publishing {
  private readonly parts: PublishingParts;
  private warnedAtMs = 0;

  constructor(parts: PublishingParts) {
    this.parts = parts;
  }

  /**
   * Handles a PUBLISH packet. Aedes sends PUBACK or PUBREC only after `done`, so a vote is acknowledged only once it is in the
   * log. Aedes also calls this function for wills. In that case, the client is closed, or null if the will comes from another
   * broker that crashed.
   */
  readonly authorizePublish = (
    client: Client | null,
    packet: PublishPacket,
    done: (error?: Error | null) => void,
  ): void => {
    if (!client) return done(new Error('no client'));
    const connection = this.parts.connections.of(client);
    const { acknowledgements, gate } = connection;
    // The gate has not counted a will, because a will arrives with CONNECT.
    const isCounted = !client.closed;
    if (isCounted) gate.begin();
    const settle = acknowledgements.next((error) => {
      if (isCounted) gate.settle();
      done(error);
    });
    if (isCounted && connection.isEnding) {
      // Unlike an error now, this leaves time to acknowledge what was accepted before.
      void connection.gone.then(() => settle(new Error('the connection was ended before this packet')));
      return;
    }
    try {
      this.take(client, connection, packet, settle);
    } catch (error) {
      this.parts.log.error({ err: error, device: client.id }, 'could not process a packet');
      queueMicrotask(() => settle(error as Error));
    }
  };

  private take(client: Client, connection: Connection, packet: PublishPacket, settle: (error?: Error) => void): void {
    const { intake, statuses, watch, log } = this.parts;
    const { id: device } = client;
    const { dup, retain } = packet;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const what = publication(packet.topic, device);
    // Settling synchronously would trigger the next read inside the parser that called this function.
    const later = (error?: Error) => queueMicrotask(() => settle(error));
    if (what.is === 'forbidden') {
      connection.because('topic');
      watch.refused(device, 'topic', 'a message on a topic that devices may not use');
      return later(new Error(`publishing to ${packet.topic} is not allowed`));
    }
    if (what.is === 'status') {
      if (!statuses.receive(device, payload)) log.debug({ device }, 'ignored a status that is not a JSON object');
      return later();
    }
    const { elector = { device, isRegistered: false, isGuest: false }, number, before } = connection;
    const isFirst = packet.qos > 0 && connection.published++ < MAX_REPEATED;
    const arrival = {
      device,
      elector,
      topic: what.topic,
      payload,
      dup,
      retain,
      connection: number,
      packet: loggedPacket(packet, payload),
      mayRepeat: isFirst && before !== 'left',
      isKnownToRepeat: dup || (isFirst && before === 'lost'),
    };
    intake.receive(arrival, (error, receipt) => {
      if (error) {
        connection.because('store', undefined, error.message);
        this.warn(error);
      } else watch.voted(device, receipt);
      settle(error);
      if (!error) sendReceipt(client, receipt);
    });
  }

  private warn(error: Error): void {
    const nowMs = Date.now();
    if (nowMs - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = nowMs;
    this.parts.log.warn({ err: error }, 'votes could not be stored or acknowledged; devices will send them again');
  }
}

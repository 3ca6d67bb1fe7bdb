import type { Client, PublishPacket } from 'aedes';
import type { Log } from '../../core/runtime/log.ts';
import type { Connection } from '../connection/connection.ts';
import type { Permissions } from '../connection/permissions.ts';
import type { Receiver } from '../connection/receiver.ts';
import type { Watch } from '../watch/watch.ts';
import type { DeviceStatuses } from './device-statuses.ts';
import type { Intake } from './intake.ts';
import { Publisher, type Shared } from './publisher.ts';

/** Minimum interval in ms between reports of a failing log, because thousands of votes a second may fail. */
const WARN_EVERY_MS = 1_000;

interface PublishingParts {
  readonly intake: Intake;
  readonly statuses: DeviceStatuses;
  readonly permissions: Permissions;
  readonly watch: Watch;
  readonly log: Log;
}

/** What all devices publish: votes and statuses. */
export class Publishing implements Shared {
  readonly intake: Intake;
  readonly permissions: Permissions;
  readonly watch: Watch;
  readonly log: Log;
  private readonly statuses: DeviceStatuses;
  private warnedAtMs = 0;

  constructor({ intake, statuses, permissions, watch, log }: PublishingParts) {
    this.intake = intake;
    this.permissions = permissions;
    this.statuses = statuses;
    this.watch = watch;
    this.log = log;
  }

  /** Takes what one device publishes over one connection. */
  receiver(client: Client, connection: Connection): Receiver {
    return new Publisher(this, client, connection);
  }

  /**
   * Handles a will. Aedes calls this function when a connection was lost; the client is null if the broker that had it crashed.
   * Aedes publishes nothing else on behalf of devices, because PUBLISH packets never reach it.
   */
  readonly will = (client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void => {
    if (!client) return done(new Error('no client'));
    const { topic, payload } = packet;
    if (!this.permissions.mayWill(topic, client.id)) return done(new Error(`a will on ${topic} is not allowed`));
    if (this.permissions.publication(topic, client.id).is === 'status') this.status(client.id, payload);
    // Aedes delivers it, unless it is a status.
    done();
  };

  status(device: string, payload: Buffer | string): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (!this.statuses.receive(device, bytes)) this.log.debug({ device }, 'ignored a status that is not a JSON object');
  }

  failed(error: Error): void {
    const nowMs = Date.now();
    if (nowMs - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = nowMs;
    this.log.warn({ err: error }, 'votes could not be stored or acknowledged; devices will send them again');
  }
}

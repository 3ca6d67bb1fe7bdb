import type { PublishPacket } from 'aedes';
import type { Log } from '../../core/runtime/log.ts';
import type { Rate } from '../../core/waiting/allowance.ts';
import { Allowances } from '../../core/waiting/allowances.ts';
import type { Connection } from '../connection/connection.ts';
import type { Permissions } from '../connection/permissions.ts';
import type { Receiver } from '../connection/receiver.ts';
import type { Will } from '../connection/wire/connect.ts';
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
  /** How many votes a device may send; undefined if that is not limited. */
  readonly voteRate: Rate | undefined;
  /** Publishes a message to subscribers. */
  readonly deliver: (packet: PublishPacket, done: (error?: Error) => void) => void;
  readonly log: Log;
}

/** What all devices publish: votes and statuses. */
export class Publishing implements Shared {
  readonly intake: Intake;
  readonly permissions: Permissions;
  readonly watch: Watch;
  readonly deliver: PublishingParts['deliver'];
  readonly allowances: Allowances | undefined;
  readonly log: Log;
  private readonly statuses: DeviceStatuses;
  private warnedAtMs = 0;

  constructor({ intake, statuses, permissions, watch, voteRate, deliver, log }: PublishingParts) {
    this.intake = intake;
    this.permissions = permissions;
    this.statuses = statuses;
    this.watch = watch;
    this.deliver = deliver;
    this.allowances = voteRate && new Allowances(voteRate);
    this.log = log;
  }

  /** Takes what one device publishes over one connection. */
  receiver(connection: Connection): Receiver {
    return new Publisher(this, connection);
  }

  /** Publishes the will of a device whose connection was lost. `mayWill` has been asked before. */
  will(device: string, { topic, payload, qos, isRetained: retain }: Will): void {
    if (this.permissions.publication(topic, device).is === 'status') return this.status(device, payload);
    this.deliver({ cmd: 'publish', topic, payload, qos: qos as 0 | 1 | 2, retain, dup: false }, (error) => {
      if (error) this.log.warn({ err: error, device }, 'could not publish the will of a device');
    });
  }

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

import type { Log } from '../../core/runtime/log.ts';
import { RareWarnings } from '../../core/runtime/rare-warnings.ts';
import type { Connection } from '../connection/connection.ts';
import type { PacketClass } from '../connection/flow/pace.ts';
import type { Departure, Refusal } from '../connection/reasons.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { Receipt } from '../outbound/receipts.ts';
import { ACCEPTED, type Trail } from './trail.ts';

/** How much of a client id is logged, in characters. Ids of refused clients may be of any length. */
const LOGGED_ID = 64;
/** Ways to part that nobody needs to be warned about. */
const ORDINARY: ReadonlySet<Departure> = new Set(['goodbye', 'lost', 'removed', 'certificate', 'stopping']);

interface WatchParts {
  readonly metrics: BrokerMetrics;
  readonly trail: Trail;
  readonly log: Log;
}

/** Tells operators why devices do not get in, and why they leave: in metrics, in the log, and in each device’s trail. */
export class Watch {
  private readonly parts: WatchParts;
  private readonly warnings: RareWarnings;

  constructor(parts: WatchParts) {
    this.parts = parts;
    this.warnings = new RareWarnings(parts.log);
  }

  /** A client was not let in, or may not use a topic. @param detail for the log */
  refused(id: string | undefined, why: Refusal, detail?: string): void {
    this.parts.metrics.refused.inc({ why });
    if (id !== undefined) this.parts.trail.note(id, 'refused', why);
    this.warn('refused', why, id, detail);
  }

  connected({ clientId = '', gate }: Connection): void {
    this.parts.trail.note(clientId, 'connected', gate.mqtt5 && 'MQTT 5');
  }

  subscribed(id: string, topic: string): void {
    this.parts.trail.note(id, 'subscribed', topic);
  }

  voted(id: string, { poll, rejected }: Receipt): void {
    this.parts.trail.voted(id, poll, rejected ?? ACCEPTED);
    if (rejected === 'too-fast') this.tooFast(poll);
  }

  /** A device sends more votes than it may. It is not named: the time would say which vote in a secret poll is its. */
  private tooFast(poll: string): void {
    const message = 'a device sends votes faster than POLLCAST_VOTES_PER_SECOND allows, and some are rejected';
    this.warnings.warn('too-fast', { poll }, message);
  }

  /** A connection ended. */
  closed({ clientId, isAdmitted, departure = 'lost', refusal, detail }: Connection): void {
    if (!isAdmitted) {
      if (refusal) this.refused(clientId, refusal, detail);
      return;
    }
    const { metrics, trail } = this.parts;
    metrics.disconnected.inc({ why: departure });
    if (departure === 'takeover') metrics.takeovers.inc();
    trail.note(clientId ?? '', 'disconnected', departure);
    if (!ORDINARY.has(departure)) this.warn('disconnected', departure, clientId, detail);
  }

  /** A connection has to wait because it sends too much. */
  slowed({ clientId }: Connection, packet: PacketClass): void {
    this.parts.metrics.slowed.inc({ packet });
    this.warn('slowed', packet, clientId);
  }

  private warn(what: 'refused' | 'disconnected' | 'slowed', why: string, id = '', detail?: string): void {
    this.warnings.warn(`${what} ${why}`, { client: id.slice(0, LOGGED_ID), why, detail }, `device ${what}`);
  }
}

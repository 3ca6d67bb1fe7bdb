import { createHash } from 'node:crypto';
import type { Client } from 'aedes';
import type { SessionLedger } from '../../core/store/sessions.ts';
import type { Permissions } from '../connection/permissions.ts';
import type { SessionPersistence } from './sessions.ts';

/** Length in characters of the digest that identifies an announcement. */
const DIGEST_LENGTH = 12;
/** Marks the messages that a client missed while it was away, where Aedes expects the id of the broker that published them. */
const MISSED = 'missed';
/** Maximum number of unacknowledged messages that are remembered for a connection. */
const MAX_UNACKNOWLEDGED = 256;

/** A message that is sent to a client at QoS 1. */
interface Message {
  readonly cmd: string;
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: number;
  readonly retain: boolean;
  readonly messageId?: number;
  readonly brokerId?: string;
}

/** What was sent over one connection. */
interface Sent {
  /** Unacknowledged messages by packet id, except retained messages. */
  readonly unacknowledged: Map<number, { readonly topic: string; readonly digest: string }>;
  /** The newest message of each topic; without a packet id, Aedes is about to send it. */
  readonly newest: Map<string, { readonly digest: string; readonly messageId?: number }>;
  /** Retained messages sent after SUBSCRIBE, in the order in which they will be acknowledged [MQTT-4.6.0-2]. */
  readonly retained: { readonly topic: string; readonly digest: string }[];
}

/**
 * Delivers announcements to stored sessions (clean session 0). Every announcement is a full snapshot and retained, so nothing
 * is queued for a client that is away: its session remembers what it last acknowledged on each topic, and when it returns, it
 * gets the retained message of each topic where that is something else. An announcement therefore costs nothing for clients
 * that are away, and these never get one that is out of date.
 */
export class Deliveries {
  private readonly ledger: SessionLedger;
  private readonly persistence: SessionPersistence;
  private readonly permissions: Permissions;
  private readonly sent = new WeakMap<object, Sent>();
  private readonly digests = new WeakMap<Buffer, string>();

  constructor(ledger: SessionLedger, persistence: SessionPersistence, permissions: Permissions) {
    this.ledger = ledger;
    this.persistence = persistence;
    this.permissions = permissions;
  }

  /**
   * Call when Aedes is about to send a message to a client. Returns false if it may not be sent, because a stored session may
   * contain filters that were granted under older rules; or if it need not be: the client has just been sent the same announcement
   * (a broker that starts announces everything again), or a newer one.
   */
  shouldSend(client: Client, { topic, payload, qos, retain, brokerId }: Message): boolean {
    if (!this.permissions.maySubscribe(topic, client.id)) return false;
    if (client.clean || qos === 0) return true;
    const { newest, retained } = this.of(client);
    const digest = this.digest(payload);
    const isNewest = newest.get(topic)?.digest === digest;
    if (brokerId === MISSED) return isNewest;
    if (retain) {
      retained.push({ topic, digest });
      if (retained.length > MAX_UNACKNOWLEDGED) retained.shift();
    } else if (!isNewest) {
      newest.set(topic, { digest });
    }
    return retain || !isNewest;
  }

  /** Call before a message is sent over a connection. */
  async sending(client: Client, { cmd, topic, payload, messageId, brokerId }: Message): Promise<void> {
    if (client.clean || cmd !== 'publish' || messageId === undefined) return;
    const { unacknowledged, newest } = this.of(client);
    const digest = this.digest(payload);
    if (brokerId === MISSED && newest.get(topic)?.digest !== digest) return;
    newest.set(topic, { digest, messageId });
    unacknowledged.set(messageId, { topic, digest });
    const [oldest] = unacknowledged.keys();
    if (unacknowledged.size > MAX_UNACKNOWLEDGED && oldest !== undefined) unacknowledged.delete(oldest);
    await this.ledger.recordDelivery(client.id, topic, `${digest} ${messageId}`);
  }

  /** Call when the client acknowledged a message. */
  async acknowledged(client: Client, { cmd, messageId }: Pick<Message, 'cmd' | 'messageId'>): Promise<void> {
    // Aedes calls this also for messages that were not news.
    if (client.clean || cmd !== 'puback' || messageId === undefined) return;
    const { unacknowledged, newest, retained } = this.of(client);
    const message = unacknowledged.get(messageId);
    unacknowledged.delete(messageId);
    if (message) {
      if (newest.get(message.topic)?.messageId !== messageId) return;
      return this.ledger.recordDelivery(client.id, message.topic, message.digest);
    }
    const first = retained.shift();
    // A newer message on the same topic is on its way or was acknowledged.
    if (first && !newest.has(first.topic)) await this.ledger.recordDelivery(client.id, first.topic, first.digest);
  }

  /**
   * What a client that returns has missed: for each of its topics the newest message, if the client has not acknowledged it.
   * If exactly this message was sent before, it is sent again with its packet id and DUP [MQTT-4.4.0-1].
   */
  async *missed(client: Client): AsyncGenerator<object> {
    if (client.clean) return;
    const filters = await this.persistence.subscriptionsByClient(client);
    const topics = filters
      .filter(({ topic, qos }) => qos > 0 && this.permissions.maySubscribe(topic, client.id))
      .map(({ topic }) => topic);
    if (topics.length === 0) return;
    const [delivered, retained] = await Promise.all([this.ledger.deliveries(client.id), this.retained(topics)]);
    const { newest } = this.of(client);
    for (const topic of topics) {
      const message = retained.get(topic);
      const last = delivered.get(topic);
      // Messages at QoS 0 are not kept for clients that are away. Without a retained message, there was none, or it was cleared.
      if (message ? message.qos === 0 : last === undefined) continue;
      const payload = message?.payload ?? Buffer.alloc(0);
      const [digest, messageId] = last?.split(' ') ?? [];
      const isSame = digest === this.digest(payload);
      if (newest.has(topic) || (isSame && messageId === undefined)) continue;
      newest.set(topic, { digest: this.digest(payload) });
      const again = isSame ? { dup: true, messageId: Number(messageId) } : { dup: false };
      yield { cmd: 'publish', topic, payload, qos: 1, retain: false, brokerId: MISSED, ...again };
    }
  }

  private async retained(topics: readonly string[]): Promise<Map<string, Message>> {
    const found = new Map<string, Message>();
    for await (const message of this.persistence.createRetainedStreamCombi([...topics])) {
      const { topic } = message as Message;
      found.set(topic, message as Message);
    }
    return found;
  }

  private of(client: Client): Sent {
    let sent = this.sent.get(client);
    if (!sent) {
      sent = { unacknowledged: new Map(), newest: new Map(), retained: [] };
      this.sent.set(client, sent);
    }
    return sent;
  }

  /** Identifies an announcement by its content. The same buffer is sent to every subscriber, so its digest is kept. */
  private digest(payload: Buffer | string): string {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
    const known = this.digests.get(bytes);
    if (known !== undefined) return known;
    const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, DIGEST_LENGTH);
    this.digests.set(bytes, digest);
    return digest;
  }
}

/** Makes Aedes deliver through `deliveries` instead of through queues of its own. */
export function deliverThrough(deliveries: Deliveries, persistence: SessionPersistence): void {
  persistence.outgoingEnqueue = async () => {};
  persistence.outgoingEnqueueCombi = async () => {};
  persistence.outgoingUpdate = (client, packet) => deliveries.sending(client, packet as Message);
  persistence.outgoingClearMessageId = (client, packet) => deliveries.acknowledged(client, packet as Message);
  persistence.outgoingStream = (client) => deliveries.missed(client);
}

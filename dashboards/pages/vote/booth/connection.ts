import createClient, { type MqttClient, type MqttPacket } from 'u8-mqtt/esm/web/basic-v4.js';
import type { Credentials } from './memory.ts';

/** The MQTT keep-alive interval in s, at which an idle connection is pinged. */
const KEEP_ALIVE_S = 20;
/** If nothing arrives on a connection for this many ms, it is considered dead. */
const SILENCE_LIMIT_MS = 35_000;
/** The time in ms that connecting may take, until the CONNACK arrives. */
const CONNECT_LIMIT_MS = 10_000;
/** If an acknowledgement takes longer than this many ms, the connection is considered dead. */
const ACK_LIMIT_MS = 8_000;
/** The pause in ms before reconnecting. It doubles from `first` to `max`; a random part of up to the same length is added. */
const RETRY_MS = { first: 500, max: 10_000 } as const;
/** The return codes of CONNACK that refuse the client, rather than put it off [MQTT 3.1.1, 3.2.2.3]: id, password, not authorized. */
const REFUSING_CODES: ReadonlySet<number> = new Set([2, 4, 5]);

export interface ConnectionEvents {
  /** Called after each connect; returns the topics to subscribe to. */
  readonly onUp: () => readonly string[];
  readonly onDown: () => void;
  /** Called once the subscriptions to these topics have been acknowledged. */
  readonly onReady: () => void;
  readonly onMessage: (topic: string, text: string) => void;
  /** Called when the broker refuses the credentials; resolves with new ones, or with undefined to retry with the same. */
  readonly onRefused: () => Promise<Credentials | undefined>;
}

/** How a connection ended. */
type Outcome = 'lost' | 'failed' | 'refused';

/** An MQTT connection over WebSocket [MQTT 3.1.1, 6] that reconnects whenever it is lost. */
export class VoterConnection {
  private readonly url: string;
  private readonly events: ConnectionEvents;
  private credentials: Credentials;
  private client: MqttClient | undefined;
  private lastReceivedAtMs = 0;
  private isStopped = false;
  private wake = () => {};
  private isPauseSkipped = false;
  /** Drops the current connection without waiting for the socket to close, which takes a minute on a dead network. */
  private hangUp = () => {};

  constructor(url: string, credentials: Credentials, events: ConnectionEvents) {
    this.url = url;
    this.credentials = credentials;
    this.events = events;
  }

  get isUp(): boolean {
    return this.client !== undefined;
  }

  start(): void {
    void this.run();
    addEventListener('online', this.reconnectNow);
    addEventListener('offline', this.onOffline);
    document.addEventListener('visibilitychange', this.onVisible);
  }

  /** Ends the connection; no more events are reported. */
  stop(): void {
    this.isStopped = true;
    removeEventListener('online', this.reconnectNow);
    removeEventListener('offline', this.onOffline);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.hangUp();
    this.wake();
  }

  /** Publishes at QoS 1; true once acknowledged. A connection that does not answer in time is dropped. */
  async publish(topic: string, payload: string): Promise<boolean> {
    const { client } = this;
    if (!client) return false;
    return this.waitForAck(client, client.send(topic, payload));
  }

  /** Subscribes at QoS 0; true once acknowledged. */
  async subscribe(topics: readonly string[]): Promise<boolean> {
    const { client } = this;
    if (!client || topics.length === 0) return topics.length === 0;
    return this.waitForAck(client, client.subscribe(topics.map((topic) => [topic, { qos: 0 }] as const)));
  }

  unsubscribe(topics: readonly string[]): void {
    if (topics.length > 0) void this.client?.unsubscribe([...topics]).catch(() => undefined);
  }

  /** Waits for an acknowledgement; drops the connection if it does not arrive in time. */
  private async waitForAck(client: MqttClient, answer: Promise<unknown>): Promise<boolean> {
    const received = answer.then((found) => Array.isArray(found) && found[0] !== undefined);
    const isAcknowledged = await Promise.race([received.catch(() => false), after(ACK_LIMIT_MS, false)]);
    if (!isAcknowledged && this.client === client) this.hangUp();
    return isAcknowledged;
  }

  /** Reconnects without waiting for the rest of the pause, because the network is probably back. */
  private readonly reconnectNow = (): void => {
    // Set only while disconnected. Otherwise, a thousand phones might reconnect at the same moment after a later loss.
    if (!this.client) this.isPauseSkipped = true;
    this.wake();
  };

  private readonly onOffline = (): void => this.hangUp();

  /** The connection may have died unnoticed while the phone was asleep. */
  private readonly onVisible = (): void => {
    if (document.hidden) return;
    if (this.client && Date.now() - this.lastReceivedAtMs > KEEP_ALIVE_S * 1_500) this.hangUp();
    this.reconnectNow();
  };

  private async run(): Promise<void> {
    let retryMs: number = RETRY_MS.first;
    while (!this.isStopped) {
      const outcome = await this.connectOnce();
      if (this.isStopped) return;
      if (outcome === 'lost') retryMs = RETRY_MS.first;
      if (outcome === 'refused') {
        this.credentials = (await this.events.onRefused().catch(() => undefined)) ?? this.credentials;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, this.isPauseSkipped ? 0 : retryMs * (1 + Math.random()));
      });
      this.isPauseSkipped = false;
      retryMs = Math.min(retryMs * 2, RETRY_MS.max);
    }
  }

  /** Runs one connection until it ends. */
  private connectOnce(): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = new WebSocket(this.url, ['mqtt']);
      const over = new AbortController();
      const { signal } = over;
      let wasUp = false;
      const client = createClient({
        sess_stg: null,
        log_conn: () => {},
        on_error: () => {},
        on_disconnect: () => {},
        on_live: () => {},
        on_mqtt_type: {
          mqtt_publish: (packet: MqttPacket) => {
            if (!signal.aborted) this.events.onMessage(packet.topic, packet.text());
          },
        },
      }).with_websock(socket);
      const end = (outcome: Outcome) => {
        if (signal.aborted) return;
        over.abort();
        clearTimeout(limit);
        clearInterval(watch);
        this.hangUp = () => {};
        socket.close();
        if (this.client === client) {
          this.client = undefined;
          if (!this.isStopped) this.events.onDown();
        }
        resolve(wasUp ? 'lost' : outcome);
      };
      this.hangUp = () => end('failed');
      const limit = setTimeout(() => end('failed'), CONNECT_LIMIT_MS);
      const watch = setInterval(() => {
        if (wasUp && Date.now() - this.lastReceivedAtMs > SILENCE_LIMIT_MS) end('failed');
      }, 1_000);
      socket.addEventListener('message', () => {
        this.lastReceivedAtMs = Date.now();
      });
      socket.addEventListener('close', () => end('failed'));
      socket.addEventListener('open', async () => {
        try {
          await this.enter(client);
        } catch (error) {
          return end(REFUSING_CODES.has(returnCodeOf(error)) ? 'refused' : 'failed');
        }
        clearTimeout(limit);
        if (signal.aborted || this.isStopped) return;
        wasUp = true;
        this.client = client;
        const isReady = await this.subscribe(this.events.onUp());
        if (isReady && !signal.aborted) this.events.onReady();
      });
    });
  }

  /** @throws if the server does not accept the connection, with the return code as `reason` */
  private async enter(client: MqttClient): Promise<void> {
    const { device, password } = this.credentials;
    const flags = { clean_start: true };
    await client.connect({ client_id: device, username: device, password, keep_alive: KEEP_ALIVE_S, flags });
  }
}

/** The return code of the CONNACK that made `connect` fail; NaN if it failed for another reason. */
function returnCodeOf(error: unknown): number {
  const { reason } = error as { reason?: unknown };
  return reason instanceof Number ? Number(reason) : Number.NaN;
}

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}

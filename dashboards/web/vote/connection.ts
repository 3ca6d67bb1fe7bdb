import createClient, { type MqttClient, type MqttPacket } from 'u8-mqtt/esm/web/basic-v4.js';
import type { Credentials } from './memory.ts';

/** A connection that says nothing is asked so often whether it is there, s. */
const KEEP_ALIVE_S = 20;
/** Without a word for this long it is dead, ms. */
const SILENCE_LIMIT_MS = 35_000;
/** The server must have let the phone in by then, ms. */
const CONNECT_LIMIT_MS = 10_000;
/** An acknowledgement that takes longer means that the line is dead, ms. */
const ACK_LIMIT_MS = 8_000;
/** The pause before another try, ms: doubles from the first to the second; up to the whole is added by chance. */
const RETRY_MS = { first: 500, most: 10_000 } as const;

export interface ConnectionEvents {
  /** The phone is connected; what it returns is subscribed to. */
  readonly onUp: () => readonly string[];
  readonly onDown: () => void;
  /** Told once all that is retained was asked for. */
  readonly onReady: () => void;
  readonly onMessage: (topic: string, text: string) => void;
  /** The credentials are not taken any more: new ones, or undefined to go on trying. */
  readonly onRefused: () => Promise<Credentials | undefined>;
}

/** How one connection went. */
type Outcome = 'lived' | 'failed' | 'refused';

/** MQTT over WebSocket [MQTT 3.1.1, 6], coming back after every loss. */
export class Connection {
  private readonly url: string;
  private readonly events: ConnectionEvents;
  private credentials: Credentials;
  private client: MqttClient | undefined;
  private heardAtMs = 0;
  private isStopped = false;
  private wake = () => {};
  private isHurried = false;
  /** Ends the connection there is, at once: a dead one would take a minute to say that it closed. */
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
    addEventListener('online', this.hurry);
    addEventListener('offline', this.onOffline);
    document.addEventListener('visibilitychange', this.onVisible);
  }

  /** Ends it; nothing is told of any more. */
  stop(): void {
    this.isStopped = true;
    removeEventListener('online', this.hurry);
    removeEventListener('offline', this.onOffline);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.hangUp();
    this.wake();
  }

  /** Publishes at QoS 1; true once it is acknowledged. A line that does not answer is given up. */
  async publish(topic: string, payload: string): Promise<boolean> {
    const { client } = this;
    if (!client) return false;
    return this.answered(client, client.send(topic, payload));
  }

  /** Subscribes at QoS 0; true once that is acknowledged. */
  async subscribe(topics: readonly string[]): Promise<boolean> {
    const { client } = this;
    if (!client || topics.length === 0) return topics.length === 0;
    return this.answered(client, client.subscribe(topics.map((topic) => [topic, { qos: 0 }] as const)));
  }

  unsubscribe(topics: readonly string[]): void {
    if (topics.length > 0) void this.client?.unsubscribe([...topics]).catch(() => undefined);
  }

  /** Waits for the server's answer, as long as the line may take. */
  private async answered(client: MqttClient, answer: Promise<unknown>): Promise<boolean> {
    const isThere = answer.then((found) => Array.isArray(found) && found[0] !== undefined);
    const isAnswered = await Promise.race([isThere.catch(() => false), after(ACK_LIMIT_MS, false)]);
    if (!isAnswered && this.client === client) this.hangUp();
    return isAnswered;
  }

  /** Tries at once: there is reason to think that it will do. */
  private readonly hurry = (): void => {
    // A line that is up needs no hurry, and a thousand phones must not come back at once.
    if (!this.client) this.isHurried = true;
    this.wake();
  };

  private readonly onOffline = (): void => this.hangUp();

  /** A phone that wakes up does not know that its line died in its sleep. */
  private readonly onVisible = (): void => {
    if (document.hidden) return;
    if (this.client && Date.now() - this.heardAtMs > KEEP_ALIVE_S * 1_500) this.hangUp();
    this.hurry();
  };

  private async run(): Promise<void> {
    let retryMs: number = RETRY_MS.first;
    while (!this.isStopped) {
      const outcome = await this.live();
      if (this.isStopped) return;
      if (outcome === 'lived') retryMs = RETRY_MS.first;
      if (outcome === 'refused') {
        this.credentials = (await this.events.onRefused().catch(() => undefined)) ?? this.credentials;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, this.isHurried ? 0 : retryMs * (1 + Math.random()));
      });
      this.isHurried = false;
      retryMs = Math.min(retryMs * 2, RETRY_MS.most);
    }
  }

  /** One connection, from its beginning to its end. */
  private live(): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = new WebSocket(this.url, ['mqtt']);
      const over = new AbortController();
      const { signal } = over;
      let hasLived = false;
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
        resolve(hasLived ? 'lived' : outcome);
      };
      this.hangUp = () => end('failed');
      const limit = setTimeout(() => end('failed'), CONNECT_LIMIT_MS);
      const watch = setInterval(() => {
        if (hasLived && Date.now() - this.heardAtMs > SILENCE_LIMIT_MS) end('failed');
      }, 1_000);
      socket.addEventListener('message', () => {
        this.heardAtMs = Date.now();
      });
      socket.addEventListener('close', () => end('failed'));
      socket.addEventListener('open', async () => {
        try {
          await this.enter(client);
        } catch {
          return end('refused');
        }
        clearTimeout(limit);
        if (signal.aborted || this.isStopped) return;
        hasLived = true;
        this.client = client;
        const isReady = await this.subscribe(this.events.onUp());
        if (isReady && !signal.aborted) this.events.onReady();
      });
    });
  }

  /** @throws when the server refuses */
  private async enter(client: MqttClient): Promise<void> {
    const { device, password } = this.credentials;
    const flags = { clean_start: true };
    await client.connect({ client_id: device, username: device, password, keep_alive: KEEP_ALIVE_S, flags });
  }
}

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}

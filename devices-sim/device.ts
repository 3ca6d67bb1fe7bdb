import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export type Qos = 0 | 1 | 2;

/** Where devices connect to, and how patient they are. */
export interface DeviceOptions {
  /** `mqtt://host:port` or `ws://host:port/mqtt`; several: one after the other, beginning with the first. */
  readonly urls: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** How long a device waits before it connects again, ms; each adds its own jitter. */
  readonly reconnectMs: number;
}

/** How long a CONNECT may stay unanswered, ms. */
const CONNECT_LIMIT_MS = 15_000;
/** Devices that lost their line together must not come back together: up to this share of the wait is added. */
const JITTER = 0.5;

/** One simulated clicker: a real MQTT client that keeps trying until its vote is acknowledged. */
export class SimDevice {
  readonly id: string;
  readonly qos: Qos;
  private readonly options: DeviceOptions;
  private client: MqttClient | undefined;
  /** Connections lost since the start. */
  drops = 0;

  constructor(id: string, qos: Qos, options: DeviceOptions) {
    this.id = id;
    this.qos = qos;
    this.options = options;
  }

  /** Connects; resolves once connected for the first time, however many tries that takes. */
  connect(): Promise<void> {
    const { urls, username, password, reconnectMs } = this.options;
    const options: IClientOptions = {
      clientId: this.id,
      protocolVersion: 4,
      clean: true,
      connectTimeout: CONNECT_LIMIT_MS,
      reconnectPeriod: Math.round(reconnectMs * (1 + Math.random() * JITTER)),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    };
    const [url = ''] = urls;
    // The client goes on to the next server with each reconnect; a single one keeps its path (WebSocket).
    const client =
      urls.length > 1 ? mqtt.connect({ ...options, servers: urls.map(serverOf) }) : mqtt.connect(url, options);
    this.client = client;
    client.on('close', () => this.drops++);
    return new Promise((resolve, reject) => {
      client.once('connect', () => resolve());
      client.on('error', (error: Error & { code?: number | string }) => {
        // A numeric code is a CONNACK refusal: trying again would not help.
        if (typeof error.code === 'number' && error.code > 0)
          reject(new Error(`${this.id} was refused: ${error.message}`));
      });
    });
  }

  /**
   * Publishes a vote; resolves when it is acknowledged (QoS 0: when it is written). The client sends it again after
   * every reconnect until then. Rejects only when the device is ended first.
   */
  vote(topic: string, payload: string | Buffer): Promise<void> {
    const { client } = this;
    if (!client) throw new Error('vote before connect');
    return new Promise((resolve, reject) => {
      client.publish(topic, payload, { qos: this.qos }, (error) => (error ? reject(error) : resolve()));
    });
  }

  async end(): Promise<void> {
    await this.client?.endAsync(true).catch(() => undefined);
  }
}

function serverOf(url: string) {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'mqtt:') throw new Error(`${url}: several servers must all be mqtt://host:port`);
  return { host: hostname, port: Number(port || 1883), protocol: 'mqtt' as const };
}

import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export type Qos = 0 | 1 | 2;

/** How devices connect and reconnect. */
export interface DeviceOptions {
  /** `mqtt://host:port` or `ws://host:port/mqtt`. Several URLs are tried in turn, starting with the first. */
  readonly urls: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Delay in ms before a device reconnects. Each device adds its own jitter. */
  readonly reconnectMs: number;
}

/** Maximum time in ms to wait for a CONNACK. */
const CONNECT_LIMIT_MS = 15_000;
/** Up to this share of the delay is added as jitter, so that devices disconnected together do not reconnect together. */
const JITTER = 0.5;

/** One simulated clicker: a real MQTT client that keeps trying until its vote is acknowledged. */
export class SimDevice {
  readonly id: string;
  readonly qos: Qos;
  private readonly options: DeviceOptions;
  private client: MqttClient | undefined;
  /** The number of connections lost so far. */
  drops = 0;

  constructor(id: string, qos: Qos, options: DeviceOptions) {
    this.id = id;
    this.qos = qos;
    this.options = options;
  }

  /** Connects. Resolves on the first connection, however many attempts it takes; rejects if the broker refuses the device. */
  connect(): Promise<void> {
    const { urls, username, password, reconnectMs } = this.options;
    const options: IClientOptions = {
      clientId: this.id,
      protocolVersion: 4,
      clean: true,
      connectTimeout: CONNECT_LIMIT_MS,
      reconnectPeriod: Math.round(reconnectMs * (1 + Math.random() * JITTER)),
      // Node.js heeds this variable; the client would not.
      rejectUnauthorized: process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0',
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    };
    const [url = ''] = urls;
    // With several servers, the client tries the next server at each reconnect. A single URL keeps its path, for WebSocket.
    const client =
      urls.length > 1 ? mqtt.connect({ ...options, servers: urls.map(serverOf) }) : mqtt.connect(url, options);
    this.client = client;
    client.on('close', () => this.drops++);
    return new Promise((resolve, reject) => {
      client.once('connect', () => resolve());
      client.on('error', (error: Error & { code?: number | string }) => {
        // A numeric code is a CONNACK return code, so retrying would not help.
        if (typeof error.code === 'number' && error.code > 0)
          reject(new Error(`${this.id} was refused: ${error.message}`));
      });
    });
  }

  /**
   * Publishes a vote. Resolves when the vote has been acknowledged (QoS 0: written); until then, the client resends it after
   * every reconnect. Rejects only if the device is ended first.
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
  if (protocol !== 'mqtt:') throw new Error(`${url}: with several servers, all URLs must be mqtt://host:port`);
  return { host: hostname, port: Number(port || 1883), protocol: 'mqtt' as const };
}

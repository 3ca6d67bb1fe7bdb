/** The settings of a broker. */
export interface BrokerOptions {
  readonly host: string;
  /** 0: the operating system chooses one; see `Broker.port`. */
  readonly mqttPort: number | 'off';
  /** The port for MQTT over TLS, if there are certificates. */
  readonly mqttsPort: number;
  readonly maxConnections: number;
  /** How many of them may come from one address; undefined: most of them. */
  readonly maxConnectionsPerAddress: number | undefined;
  /** How many CONNECT packets a second are answered for one address; 0: any number. */
  readonly connectsPerSecond: number;
  /** How many votes a second one device may send; 0: any number. */
  readonly votesPerSecond: number;
  /** How many votes it may send at once. */
  readonly votesAtOnce: number;
  /** Maximum keep alive in seconds; 0: none. */
  readonly maxKeepAliveSeconds: number;
  /** How long in seconds a session is kept after its client disconnected. */
  readonly sessionSeconds: number;
  /** `off` if acknowledgements in MQTT 5 say success even for votes that were refused. */
  readonly mqttReasons: 'on' | 'off';
  /** Addresses and networks of proxies that send the PROXY protocol to the MQTT port. */
  readonly proxyProtocolFrom: readonly string[];
  /** Addresses and networks of proxies whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies: readonly string[];
  /** Interval in seconds at which MQTT clients on WebSockets are pinged. */
  readonly webSocketPingSeconds: number;
}

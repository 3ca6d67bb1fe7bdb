/** Style sheets: bundled as separate files for pages, imported as text for a shadow root. */
declare module '*.css' {
  const text: string;
  export default text;
}

/** The parts of u8-mqtt that the voting page uses; the package has no types. */
declare module 'u8-mqtt/esm/web/basic-v4.js' {
  export interface MqttPacket {
    readonly topic: string;
    text(): string;
  }
  export interface MqttClient {
    with_websock(socket: WebSocket): MqttClient;
    connect(options: {
      client_id: string;
      username: string;
      password: string;
      keep_alive: number;
      flags: { clean_start: boolean };
    }): Promise<unknown>;
    subscribe(topics: readonly (readonly [topic: string, options: { qos: 0 | 1 }])[]): Promise<unknown>;
    unsubscribe(topics: readonly string[]): Promise<unknown>;
    /** Resolves with the PUBACK. */
    send(topic: string, payload: string): Promise<unknown>;
    puback(packet: { pkt_id: number }): Promise<unknown>;
  }
  export default function createClient(options: object): MqttClient;
}

/** The parts of u8-mqtt that the tests use in Node.js; the package has no types. */
declare module 'u8-mqtt/esm/node/basic-v4.js' {
  interface Client {
    with_tcp(port: number, host: string): this;
    connect(options: { client_id: string }): Promise<unknown>;
    publish(message: { topic: string; payload: string; qos: 0 | 1 }): Promise<unknown>;
    disconnect(): Promise<unknown>;
  }

  export default function createClient(options: object): Client;
}

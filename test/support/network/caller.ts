import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';

/** The answer to a request; of a stream, what has arrived so far. */
export interface Heard {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  text(): string;
}

interface Asked {
  /** An operator token. */
  readonly token?: string;
  /** A device and its secret, with a colon in between. */
  readonly basic?: string;
  readonly method?: string;
  readonly body?: object;
}

/** A client with an address of its own: every address in 127.0.0.0/8 is one of this machine. */
export class Caller {
  private readonly t: Test;
  private readonly port: number;
  private readonly localAddress: string;
  readonly sockets: Socket[] = [];

  constructor(t: Test, port: number, localAddress: string) {
    this.t = t;
    this.port = port;
    this.localAddress = localAddress;
  }

  /** Sends a request; resolves with the whole answer, or of a stream, when its head has arrived. */
  ask(path: string, options: Asked = {}): Promise<Heard> {
    const { token, basic, method = 'GET', body } = options;
    const { port, localAddress } = this;
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (basic !== undefined) headers.authorization = `Basic ${Buffer.from(basic).toString('base64')}`;
    if (body) headers['content-type'] = 'application/json';
    return new Promise((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', localAddress, path, method, headers, agent: false });
      asked.on('error', reject).on('response', (response) => {
        const { statusCode: status = 0, headers } = response;
        let text = '';
        const heard = { status, headers, text: () => text };
        response.setEncoding('utf8').on('error', () => {});
        response.on('data', (part: string) => (text += part));
        if (headers['content-type']?.startsWith('text/event-stream')) {
          this.t.teardown(() => response.destroy());
          resolve(heard);
        } else response.on('end', () => resolve(heard));
      });
      asked.end(body && JSON.stringify(body));
    });
  }

  /** Opens connections, sends the beginning of something on each, and never reads. */
  async flood(count: number, first = ''): Promise<Socket[]> {
    const { port, localAddress } = this;
    const opened = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }));
    this.sockets.push(...opened);
    this.t.teardown(() => this.hangUp());
    await Promise.all(
      opened.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.on('error', () => resolve()).on('close', () => resolve());
            socket.on('connect', () => resolve()).pause();
            if (first !== '') socket.write(first);
          }),
      ),
    );
    return opened;
  }

  hangUp(): void {
    for (const socket of this.sockets.splice(0)) socket.destroy();
  }
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy between two programs. A test can cut or stall it to simulate network failures. */
export class Link {
  private readonly server: Server;
  private readonly lines = new Set<[Socket, Socket]>();
  private isHeld = false;
  private isCut = false;

  private constructor(target: number) {
    this.server = createServer((near) => {
      if (this.isCut) return near.destroy();
      const far = connect(target, '127.0.0.1');
      const line: [Socket, Socket] = [near, far];
      this.lines.add(line);
      for (const [from, to] of [line, [far, near]] as const) {
        from.on('data', (chunk) => {
          if (!to.write(chunk)) from.pause();
        });
        to.on('drain', () => !this.isHeld && from.resume());
        from.on('error', () => {});
        from.on('close', () => {
          this.lines.delete(line);
          to.destroy();
        });
      }
      if (this.isHeld) for (const socket of line) socket.pause();
    });
  }

  static async to(target: number): Promise<Link> {
    const link = new Link(target);
    link.server.listen(0, '127.0.0.1');
    await once(link.server, 'listening');
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stalls all traffic without closing connections; data sent in the meantime is delivered after `heal`. */
  hold(): void {
    this.isHeld = true;
    for (const line of this.lines) for (const socket of line) socket.pause();
  }

  /** Closes all connections, and closes new ones immediately until `heal` is called. */
  cut(): void {
    this.isCut = true;
    for (const [near] of this.lines) near.destroy();
  }

  /** Restores the link. */
  heal(): void {
    this.isCut = false;
    this.isHeld = false;
    for (const line of this.lines) for (const socket of line) socket.resume();
  }

  async end(): Promise<void> {
    this.cut();
    this.server.close();
  }
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP line between two programs that a test can cut or hold up, as networks do. */
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

  /** Nothing comes through, and nobody is told; what is on its way arrives later. */
  hold(): void {
    this.isHeld = true;
    for (const line of this.lines) for (const socket of line) socket.pause();
  }

  /** Every connection breaks, and new ones do too. */
  cut(): void {
    this.isCut = true;
    for (const [near] of this.lines) near.destroy();
  }

  /** All is well again. */
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

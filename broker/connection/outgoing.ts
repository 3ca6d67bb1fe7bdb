import type { Duplex } from 'node:stream';
import type { Translator } from './mqtt5/translator.ts';
import { RepeatedFilters } from './wire/repeated-filters.ts';

/** Time in ms for a client to read the last packet and close the connection. Closing at once could discard the packet. */
const LINGER_MS = 1_000;

/** The connection whose packets leave. */
interface OutgoingLine {
  readonly socket: Duplex;
  /** Maximum time in ms for which a device may leave its acknowledgements unread. */
  readonly limits: { readonly drainMs: number };
  /** Called once waiting acknowledgements have left. */
  resume(): void;
  /** Called if they do not leave in time, or if a client of MQTT 5 acknowledges nothing. */
  stalled(): void;
}

/** The packets that leave by a socket: what Aedes sends, corrected, and acknowledgements. */
export class Outgoing {
  /** Translates for clients of MQTT 5. */
  translator: Translator | undefined;
  private readonly line: OutgoingLine;
  private repeated: RepeatedFilters | undefined;
  /** Runs while acknowledgements wait in the socket. */
  private timer: NodeJS.Timeout | undefined;

  constructor(line: OutgoingLine) {
    this.line = line;
  }

  get repeatedFilters(): RepeatedFilters {
    this.repeated ??= new RepeatedFilters();
    return this.repeated;
  }

  /** True while acknowledgements wait because the device does not read them. */
  get isClogged(): boolean {
    return this.timer !== undefined;
  }

  /** Sends whole packets of Aedes. */
  send(bytes: Buffer, done: (error?: Error | null) => void): void {
    const { socket } = this.line;
    const complete = this.repeated?.complete(bytes) ?? bytes;
    const packets = this.translator ? this.translator.toClient(complete) : complete;
    if (this.translator?.isStalled) this.line.stalled();
    // After a half-close, nobody reads it, but what the device sent before must still be taken.
    if (!packets || !socket.writable || socket.write(packets)) done();
    else socket.once('drain', done);
  }

  /** Sends acknowledgements. They never come between parts of a packet, because Aedes’s packets are whole when they get here. */
  acknowledge(bytes: Buffer): void {
    const { socket } = this.line;
    if (!socket.writable || socket.write(bytes) || this.timer) return;
    this.timer = setTimeout(() => this.line.stalled(), this.line.limits.drainMs);
    socket.once('drain', () => {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.line.resume();
    });
  }

  close(): void {
    clearTimeout(this.timer);
  }
}

/**
 * Sends a last packet and closes a connection. Only this side is closed at first, and what still arrives is read and dropped:
 * closing a connection with unread data discards what the client has not read yet.
 */
export function part(socket: Duplex, last: Buffer): void {
  socket.removeAllListeners('data');
  socket.on('error', () => {});
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  if (last.length > 0) socket.end(last);
  else socket.end();
}

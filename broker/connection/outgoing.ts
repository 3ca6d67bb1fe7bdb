import type { Duplex } from 'node:stream';
import type { Translator } from './mqtt5/translator.ts';
import { setSessionPresent } from './wire/frame.ts';
import { RepeatedFilters } from './wire/repeated-filters.ts';

/** Time in ms for a client to read the last packet and close the connection. Closing at once could discard the packet. */
const LINGER_MS = 1_000;

interface OutgoingParts {
  readonly socket: Duplex;
  /** Maximum time in ms for which a device may leave its acknowledgements unread. */
  readonly drainMs: number;
  /** Called once waiting acknowledgements have left. */
  readonly onDrained: () => void;
  /** Called if they do not leave in time, or if a client of MQTT 5 acknowledges nothing. */
  readonly onStalled: () => void;
}

/** The packets that leave by a socket: what Aedes sends, corrected, and acknowledgements. */
export class Outgoing {
  /** Whether CONNACK says that the session was stored: Aedes knows only sessions with subscriptions. */
  sessionPresent = false;
  readonly repeatedFilters = new RepeatedFilters();
  /** Translates for clients of MQTT 5. */
  translator: Translator | undefined;
  private readonly parts: OutgoingParts;
  private isAnswered = false;
  /** Runs while acknowledgements wait in the socket, and after the last packet. */
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: OutgoingParts) {
    this.parts = parts;
    parts.socket.on('drain', () => {
      if (!this.timer) return;
      clearTimeout(this.timer);
      this.timer = undefined;
      parts.onDrained();
    });
  }

  /** True while acknowledgements wait because the device does not read them. */
  get isClogged(): boolean {
    return this.timer !== undefined;
  }

  /** Sends whole packets of Aedes. */
  send(bytes: Buffer, done: (error?: Error | null) => void): void {
    const { socket } = this.parts;
    if (!this.isAnswered) {
      this.isAnswered = true;
      setSessionPresent(bytes, this.sessionPresent);
    }
    const complete = this.repeatedFilters.complete(bytes);
    const packets = this.translator ? this.translator.toClient(complete, this.sessionPresent) : complete;
    if (this.translator?.isStalled) this.parts.onStalled();
    // After a half-close, nobody reads it, but what the device sent before must still be taken.
    if (!packets || !socket.writable || socket.write(packets)) done();
    else socket.once('drain', done);
  }

  /** Sends acknowledgements. They never come between parts of a packet, because Aedes’s packets are whole when they get here. */
  acknowledge(bytes: Buffer): void {
    const { socket, drainMs, onStalled } = this.parts;
    if (!socket.writable || socket.write(bytes)) return;
    this.timer ??= setTimeout(onStalled, drainMs);
  }

  /** Sends a last packet. @param onLate called if the client does not close the connection then */
  end(bytes: Buffer, onLate: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(onLate, LINGER_MS);
    this.parts.socket.end(bytes);
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

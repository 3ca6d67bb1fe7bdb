import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Counter, type Registry } from 'prom-client';
import type { Log } from '../runtime/log.ts';
import { RareWarnings } from '../runtime/rare-warnings.ts';
import { every } from '../waiting/pause.ts';
import type { Descriptors } from './descriptors.ts';
import { callerOf, type Networks } from './networks.ts';

/** Why a connection is cut, as the metric names it, and as the log says it; what browsers do all the time is not logged. */
const CUTS = {
  idle: 'there are too many idle connections',
  descriptors: 'few descriptors are left',
  silent: undefined,
  'slow-headers': 'it sends its request too slowly',
  'slow-body': 'it sends the body of its request too slowly',
  pipelined: 'it sends requests without waiting for the answers',
} as const;
export type Cut = keyof typeof CUTS;

interface Limits {
  /** How many connections may wait for their client: from one address, and from all. */
  readonly perCaller: number;
  readonly total: number;
  /** A connection that is younger than this (ms) is not cut for their sake, because its request is on its way. */
  readonly freshMs: number;
  /** A body may take this long (ms), and a second longer for each of so many bytes [Apache’s mod_reqtimeout]. */
  readonly bodyMs: number;
  readonly bodyBytesPerSecond: number;
  /** Interval in ms between two looks. */
  readonly everyMs: number;
}

const LIMITS: Limits = {
  perCaller: 500,
  total: 2_000,
  freshMs: 1_000,
  bodyMs: 10_000,
  bodyBytesPerSecond: 1_000,
  everyMs: 1_000,
};

interface Line {
  readonly socket: Socket;
  /** What has the descriptor: with TLS, the socket below. */
  readonly below: Socket;
  /** Undefined for a trusted proxy, whose connections belong to many. */
  readonly caller: string | undefined;
  sinceMs: number;
  /** How many requests are not answered yet. */
  unanswered: number;
  /** The latest request with a body: when it began, and how much had been read before. */
  body: { readonly request: IncomingMessage; readonly sinceMs: number; readonly before: number } | undefined;
}

interface WaitingParts {
  /** The proxies whose connections belong to many clients. */
  readonly proxies: Networks;
  readonly descriptors: Descriptors;
  readonly metrics: Registry;
  readonly log: Log;
}

/**
 * The HTTP connections on which it is the client’s turn: idle ones, and those whose request has not arrived completely. Nothing is
 * lost with them, as browsers open new ones, so the oldest are closed when there are too many. Connections of streams, WebSockets
 * and requests that are being answered are not among them.
 */
export class WaitingSockets {
  private readonly limits: Limits;
  private readonly parts: WaitingParts;
  private readonly warnings: RareWarnings;
  private readonly cuts: Counter<'why'>;
  private readonly lines = new Map<Socket, Line>();
  /** Those that wait, the oldest first; a line may be answered meanwhile, which is found out when it would be cut. */
  private readonly waiting = new Set<Line>();
  private readonly byCaller = new Map<string, Set<Line>>();
  private readonly receiving = new Set<Line>();
  private readonly halt = new AbortController();
  private readonly onClose: (this: Socket) => void;

  /** @param limits only tests have others */
  constructor(parts: WaitingParts, limits: Limits = LIMITS) {
    this.parts = parts;
    // Half of what there is stays for devices and streams.
    const total = Math.min(limits.total, Math.floor(parts.descriptors.room / 2));
    this.limits = { ...limits, total, perCaller: Math.min(limits.perCaller, Math.floor(total / 2)) };
    this.warnings = new RareWarnings(parts.log.child({ part: 'http' }));
    this.cuts = new Counter({
      name: 'pollcast_http_cut_total',
      help: 'HTTP connections that were cut because their client kept them waiting, by reason',
      labelNames: ['why'] as const,
      registers: [parts.metrics],
    });
    for (const why of Object.keys(CUTS)) this.cuts.inc({ why }, 0);
    const release = (socket: Socket) => this.release(socket);
    // One function for all connections, because there are many.
    this.onClose = function onClose() {
      release(this);
    };
    every(this.limits.everyMs, this.halt.signal, () => this.look());
  }

  async close(): Promise<void> {
    this.halt.abort();
  }

  /** How many connections wait for their client, or did until a moment ago. */
  get size(): number {
    return this.waiting.size;
  }

  /** How old (ms) a connection is when it has been cut if it is one too many: older ones may stay for now. */
  get trimmedAfterMs(): number {
    return this.limits.freshMs + this.limits.everyMs;
  }

  /** Follows a connection from its beginning. @param below with TLS, the socket below */
  add(socket: Socket, below = socket): void {
    const { proxies } = this.parts;
    const { remoteAddress } = socket;
    const caller = proxies.has(remoteAddress) ? undefined : callerOf(remoteAddress);
    const line: Line = { socket, below, caller, sinceMs: performance.now(), unanswered: 0, body: undefined };
    this.lines.set(socket, line);
    socket.on('close', this.onClose);
    this.wait(line);
  }

  /** Follows the requests of a server, and notes those that it gives up. Call this before others listen for them. */
  follow(server: Server): void {
    server.prependListener('request', (request, response) => {
      const line = this.lines.get(request.socket);
      if (!line) return;
      line.unanswered++;
      const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
      if (length === '0' && coding === undefined) this.leave(line);
      else {
        line.body = { request, sinceMs: performance.now(), before: line.socket.bytesRead };
        this.receiving.add(line);
      }
      response.once('close', () => {
        line.unanswered--;
        if (line.unanswered === 0 && this.lines.has(line.socket)) this.wait(line);
      });
    });
    server.prependListener('clientError', (error: NodeJS.ErrnoException, socket) => {
      const line = this.lines.get(socket as Socket);
      if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT' || !line) return;
      this.count(line.socket, line.socket.bytesRead === 0 ? 'silent' : 'slow-headers');
    });
  }

  /** From now on, a connection is not one of HTTP any more: it carries a stream or a WebSocket. */
  release(socket: Socket): void {
    const line = this.lines.get(socket);
    if (!line) return;
    socket.removeListener('close', this.onClose);
    this.lines.delete(socket);
    this.receiving.delete(line);
    this.leave(line);
  }

  /** A connection is not cut to make room for others until its request is answered. */
  spare(socket: Socket): void {
    const line = this.lines.get(socket);
    if (line) this.leave(line);
  }

  /** Cuts the connection that has kept us waiting for longest, if there is one. */
  makeRoom(): void {
    for (const line of this.waiting) {
      if (this.isBusy(line)) this.leave(line);
      else return this.cut(line.socket, 'descriptors');
    }
  }

  /** Cuts a connection, and counts it. */
  cut(socket: Socket, why: Cut): void {
    this.count(socket, why);
    const { below = socket } = this.lines.get(socket) ?? {};
    this.release(socket);
    socket.destroy();
    this.parts.descriptors.forget(below);
  }

  private count(socket: Socket, why: Cut): void {
    this.cuts.inc({ why });
    const because = CUTS[why];
    if (because !== undefined)
      this.warnings.warn(why, { why: because, address: socket.remoteAddress }, 'an HTTP connection was cut');
  }

  private wait(line: Line): void {
    this.leave(line);
    line.sinceMs = performance.now();
    this.waiting.add(line);
    if (line.caller !== undefined) {
      const all = this.byCaller.get(line.caller) ?? new Set();
      this.byCaller.set(line.caller, all.add(line));
      this.trim(all, this.limits.perCaller);
    }
    this.trim(this.waiting, this.limits.total);
  }

  private leave(line: Line): void {
    this.waiting.delete(line);
    const all = line.caller === undefined ? undefined : this.byCaller.get(line.caller);
    all?.delete(line);
    if (all?.size === 0) this.byCaller.delete(line.caller as string);
  }

  /** Cuts the oldest beyond `most`. */
  private trim(lines: Set<Line>, most: number): void {
    const oldMs = performance.now() - this.limits.freshMs;
    for (const line of lines) {
      if (lines.size <= most || line.sinceMs > oldMs) return;
      if (this.isBusy(line)) this.leave(line);
      else this.cut(line.socket, 'idle');
    }
  }

  /** True if the request has arrived, so that it is our turn. */
  private isBusy({ unanswered, body }: Line): boolean {
    return unanswered > 0 && body?.request.complete !== false;
  }

  private look(): void {
    for (const all of this.byCaller.values()) this.trim(all, this.limits.perCaller);
    this.trim(this.waiting, this.limits.total);
    const nowMs = performance.now();
    for (const line of this.receiving) {
      const { socket, body } = line;
      if (!body || body.request.complete) {
        line.body = undefined;
        this.receiving.delete(line);
        continue;
      }
      const bytes = socket.bytesRead - body.before;
      const mayTakeMs = this.limits.bodyMs + (bytes / this.limits.bodyBytesPerSecond) * 1_000;
      if (nowMs - body.sinceMs > mayTakeMs) this.cut(socket, 'slow-body');
    }
  }
}

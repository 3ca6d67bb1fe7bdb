import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ByConnection } from '../../core/process/sockets/connections.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { pause } from '../../core/waiting/pause.ts';

/** How long in ms requests that are being answered may go on once the process is stopping. */
const FINISH_LIMIT_MS = 2_000;
/** How long in ms requests are refused before the server closes: those on their way would otherwise be reset. */
const LINGER_MS = 50;
/** How long in ms those that did not finish may take to be recorded and answered. */
const CUT_LIMIT_MS = 1_000;
const CHECK_EVERY_MS = 10;
/** What load balancers and monitoring ask until the end. */
const OPERATIONS: readonly string[] = ['/health', '/ready', '/metrics'];

/** True if a request is for the API, however its path is encoded, and whether the path exists or not. */
export function isOfApi({ routeOptions, url }: FastifyRequest): boolean {
  return /^\/api(?:[/?]|$)/.test(routeOptions.url ?? decoded(url));
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** The requests that are being answered, so that a process that stops lets them finish, and refuses further ones. */
export class Requests {
  private readonly running = new ByConnection<FastifyReply>();
  private isDraining = false;

  /** The number of requests that are being answered. */
  get size(): number {
    return this.running.size;
  }

  /** True once further requests are refused. */
  get isStopping(): boolean {
    return this.isDraining;
  }

  /** Follows the requests of an app. Call this before routes are added. */
  follow(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      const { socket } = request.raw;
      // Requests that arrived together with the one for which the connection was closed are not worth an answer.
      if (socket.destroyed) return reply.hijack();
      if (OPERATIONS.includes(request.routeOptions.url ?? '')) return;
      if (this.isDraining) {
        reply.header('connection', 'close');
        throw stopping();
      }
      this.running.during(reply.raw, socket, reply);
    });
  }

  /**
   * From now on, requests are refused with 503. Resolves once the others are answered; those that take too long get 503, too, and
   * actions among them are recorded as cut off.
   */
  async drain(): Promise<void> {
    this.isDraining = true;
    const endMs = performance.now() + FINISH_LIMIT_MS;
    await pause(LINGER_MS);
    while (this.size > 0 && performance.now() < endMs) await pause(CHECK_EVERY_MS);
    // A download or stream that has begun cannot be answered otherwise any more; it breaks off when the server closes.
    const cut = [...this.running].filter((reply) => !reply.sent && !reply.raw.headersSent);
    for (const reply of cut) {
      reply.header('connection', 'close').send(stopping());
      // What their handlers come to now is neither sent nor recorded a second time.
      reply.hijack();
    }
    const cutEndMs = performance.now() + CUT_LIMIT_MS;
    // The store closes next, and each is recorded before it is answered.
    while (cut.some(({ raw }) => !raw.writableEnded && !raw.destroyed) && performance.now() < cutEndMs) {
      await pause(CHECK_EVERY_MS);
    }
  }
}

function stopping(): Refusal {
  return new Refusal('stopping', 'this process is stopping; try again in a moment, and another one answers');
}

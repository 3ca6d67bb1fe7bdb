import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ByConnection } from '../../core/process/connections.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { pause } from '../../core/waiting/pause.ts';

/** How long in ms requests that are being answered may go on once the process is stopping. */
const FINISH_LIMIT_MS = 2_000;
/** How long in ms requests are refused before the server closes: those on their way would otherwise be reset. */
const LINGER_MS = 50;
const CHECK_EVERY_MS = 10;
/** What load balancers and monitoring ask until the end. */
const OPERATIONS: readonly string[] = ['/health', '/ready', '/metrics'];

/** True if a request is for the API, however its path is encoded. */
export function isOfApi({ routeOptions, url }: FastifyRequest): boolean {
  return (routeOptions.url ?? url).startsWith('/api/');
}

/** The requests that are being answered, so that a process that stops lets them finish, and refuses further ones. */
export class Requests {
  private readonly running = new ByConnection<FastifyReply>();
  private isDraining = false;

  /** The number of requests that are being answered. */
  get size(): number {
    return this.running.size;
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

  /** From now on, requests are refused with 503. Resolves once the others are answered; those that take too long get 503 too. */
  async drain(): Promise<void> {
    this.isDraining = true;
    const endMs = performance.now() + FINISH_LIMIT_MS;
    await pause(LINGER_MS);
    while (this.size > 0 && performance.now() < endMs) await pause(CHECK_EVERY_MS);
    for (const reply of this.running) {
      // A download or stream that has begun cannot be answered otherwise any more; it breaks off when the server closes.
      if (!reply.sent && !reply.raw.headersSent) reply.header('connection', 'close').send(stopping());
    }
  }
}

function stopping(): Refusal {
  return new Refusal('stopping', 'this process is stopping; try again in a moment, and another one answers');
}

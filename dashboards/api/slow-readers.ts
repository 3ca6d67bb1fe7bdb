import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../../core/runtime/log.ts';
import { every } from '../../core/waiting/pause.ts';

interface Limits {
  /** A client that takes nothing of its answer for this long (ms) is cut. */
  readonly stallMs: number;
  /** How much memory (bytes) unread answers may take together. Beyond that, the clients with the most are cut. */
  readonly unreadBytes: number;
  /** Interval in ms between looks at how much that is. */
  readonly everyMs: number;
}

const LIMITS: Limits = { stallMs: 15_000, unreadBytes: 64 * 1024 * 1024, everyMs: 500 };

/** Cuts clients of the API that hardly read their answers, which would otherwise stay in memory. Streams have their own rule. */
export class SlowReaders {
  private readonly answers = new Set<ServerResponse>();
  private readonly onCut: () => void;
  private readonly log: Log;
  private readonly limits: Limits;

  /**
   * @param onCut called for every client that is cut
   * @param limits only tests have others
   */
  constructor(log: Log, onCut: () => void, limits: Limits = LIMITS) {
    this.limits = limits;
    this.log = log.child({ part: 'api' });
    this.onCut = onCut;
  }

  /** Follows the answers of an app. */
  follow(app: FastifyInstance): void {
    const { everyMs, stallMs } = this.limits;
    const halt = new AbortController();
    every(everyMs, halt.signal, () => this.limitMemory());
    app.addHook('onClose', async () => halt.abort());
    // Not called for streams, which write to the connection themselves.
    app.addHook('onSend', async (_request, { raw }) => {
      this.answers.add(raw);
      raw.once('close', () => this.answers.delete(raw));
      // Node’s timer counts every byte that the system takes. A reader of a byte per second shows no progress, because its
      // system asks for more only once there is room for a packet.
      raw.setTimeout(stallMs, () => this.onStall(raw));
    });
  }

  private onStall(answer: ServerResponse): void {
    // An export may also wait for its turn.
    if (this.answers.has(answer) && unreadOf(answer) > 0) this.cut(answer, 'it does not read its answer');
  }

  private limitMemory(): void {
    const unread = [...this.answers].map((answer) => [answer, unreadOf(answer)] as const).sort(([, a], [, b]) => a - b);
    let sum = unread.reduce((all, [, bytes]) => all + bytes, 0);
    while (sum > this.limits.unreadBytes) {
      const [answer, bytes] = unread.pop() ?? [];
      if (!answer) return;
      this.cut(answer, 'unread answers take too much memory');
      sum -= bytes ?? 0;
    }
  }

  private cut(answer: ServerResponse, why: string): void {
    this.answers.delete(answer);
    this.onCut();
    const { remoteAddress: address } = answer.socket ?? {};
    this.log.warn({ address, bytes: unreadOf(answer), why }, 'a client of the API was cut');
    answer.destroy();
  }
}

/** Bytes of an answer that are kept in this process, because the system takes no more. */
function unreadOf({ socket, writableLength }: ServerResponse): number {
  return socket ? socket.writableLength : writableLength;
}

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ByConnection } from '../../core/process/sockets/connections.ts';
import type { Log } from '../../core/runtime/log.ts';
import { RareWarnings } from '../../core/runtime/rare-warnings.ts';
import { every } from '../../core/waiting/pause.ts';

interface Limits {
  /**
   * A client whose system takes nothing of its answer for this long (ms) is cut. A slow but honest one seems idle meanwhile: on
   * Linux, more is taken only once a third of the buffer, of up to 4 MB, is free.
   */
  readonly stallMs: number;
  /** How much memory (bytes) unread answers may take together. Beyond that, the clients with the most are cut. */
  readonly unreadBytes: number;
  /** Interval in ms between looks at how much that is. */
  readonly everyMs: number;
}

interface Answer {
  readonly raw: ServerResponse;
  /** Its connection, also while it is queued behind another answer there. */
  readonly socket: Socket;
}

const LIMITS: Limits = { stallMs: 120_000, unreadBytes: 64 * 1024 * 1024, everyMs: 500 };

/** Cuts clients of the API that hardly read their answers, which would otherwise stay in memory. Streams have their own rule. */
export class SlowReaders {
  private readonly answers = new ByConnection<Answer>();
  private readonly onCut: () => void;
  private readonly warnings: RareWarnings;
  private readonly limits: Limits;

  /**
   * @param onCut called for every client that is cut
   * @param limits only tests have others
   */
  constructor(log: Log, onCut: () => void, limits: Limits = LIMITS) {
    this.limits = limits;
    this.warnings = new RareWarnings(log.child({ part: 'api' }));
    this.onCut = onCut;
  }

  /** The number of answers that have begun and not ended. */
  get size(): number {
    return this.answers.size;
  }

  /** Follows the answers of an app. */
  follow(app: FastifyInstance): void {
    const { everyMs, stallMs } = this.limits;
    const halt = new AbortController();
    every(everyMs, halt.signal, () => this.limitMemory());
    app.addHook('onClose', async () => halt.abort());
    // Not called for streams, which write to the connection themselves.
    app.addHook('onSend', async (request, { raw }) => {
      const { socket } = request.raw;
      const answer = { raw, socket };
      this.answers.during(raw, socket, answer);
      // Node’s timer counts every byte that the system takes. A reader of a byte per second shows no progress, because its
      // system asks for more only once there is room for a packet.
      raw.setTimeout(stallMs, () => this.onStall(answer));
    });
  }

  private onStall(answer: Answer): void {
    // An export may also wait for its turn.
    if (unreadOf(answer) > 0) this.cut(answer, 'it does not read its answer');
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

  private cut(answer: Answer, why: string): void {
    const { socket } = answer;
    this.answers.delete(socket, answer);
    this.onCut();
    const { remoteAddress: address } = socket;
    this.warnings.warn(why, { why, address, bytes: unreadOf(answer) }, 'a client of the API was cut');
    socket.destroy();
  }
}

/** Bytes of an answer that are kept in this process, because the system takes no more. */
function unreadOf({ raw }: Answer): number {
  return raw.socket ? raw.socket.writableLength : raw.writableLength;
}

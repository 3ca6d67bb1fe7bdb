import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../runtime/log.ts';
import type { Slice, SliceChange } from '../../voting/count/slice.ts';
import { storedSlice } from '../../voting/count/slice.ts';
import type { Poll } from '../../voting/poll/poll.ts';
import { turn } from '../../waiting/turn.ts';
import type { Answer, Computed, Order } from './messages.ts';

const CHILD = new URL('./calculator.child.js', import.meta.url);
/** Choices sent in one message while a round is handed over, so that votes are taken in between. */
const PIECE = 1_000;
/** Time limit in ms for computing one result. A thread that takes longer is replaced. */
const COMPUTE_LIMIT_MS = 60_000;
/** After the thread was lost, results are computed in this thread for this long (ms). */
const REST_MS = 10_000;

/** The copy of a round is gone, because it was dropped or the thread has ended. The round must be loaded again. */
export class CopyLost extends Error {
  override readonly name = 'CopyLost';

  constructor() {
    super('the copy of the round in the calculator’s thread is gone');
  }
}

interface Waiting {
  readonly resolve: (computed: Computed) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Computes results of large tallies in a thread of its own, so that votes are acknowledged meanwhile. The thread has copies of
 * these tallies and follows their changes, so that only changes and results cross between threads. It starts when it is first
 * needed. If it ends, it emits `lost`, and its rounds must be handed over again.
 */
export class Calculator extends EventEmitter<{ lost: [] }> {
  private readonly log: Log;
  private readonly onLost: () => void;
  private readonly child: URL;
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private restsUntilMs = 0;
  private isClosed = false;

  /**
   * @param onLost called whenever the thread has ended without having been closed
   * @param child the program of the thread; only tests have another
   */
  constructor(log: Log, onLost: () => void = () => {}, child: URL = CHILD) {
    super();
    this.log = log.child({ part: 'calculator' });
    this.onLost = onLost;
    this.child = child;
  }

  /** False for a while after the thread was lost, and once it is closed. */
  get isAvailable(): boolean {
    return !this.isClosed && performance.now() >= this.restsUntilMs;
  }

  /**
   * Copies a round to the thread, piece by piece. `slices` may change meanwhile: a piece has the values of the moment when it is
   * sent, and changes must be sent with `apply` as well. Resolves early if `isWanted` is no longer true. @throws CopyLost if the
   * thread cannot be started
   */
  async hold(key: string, slices: (Slice | undefined)[], isWanted: () => boolean): Promise<void> {
    this.send({ do: 'hold', key, partitions: slices.length });
    if (!this.worker) throw new CopyLost();
    for (const [partition, slice] of slices.entries()) {
      if (!slice) continue;
      let weights: [string, number][] = [];
      const sendPiece = () => {
        const { poll, round, ...now } = slices[partition] ?? slice;
        this.apply(key, partition, { poll, round, ...storedSlice(now), weights });
        weights = [];
      };
      for (const weight of slice.tally) {
        weights.push(weight);
        if (weights.length < PIECE) continue;
        sendPiece();
        await turn();
        if (!isWanted()) return;
      }
      sendPiece();
    }
  }

  /** Applies a change to the copy of a round. */
  apply(key: string, partition: number, change: SliceChange): void {
    this.send({ do: 'apply', key, partition, change });
  }

  drop(key: string): void {
    this.send({ do: 'drop', key });
  }

  /** Computes the result of a round from its copy. @throws CopyLost, and the error of a computation that fails */
  compute(key: string, poll: Poll, nowMs: number): Promise<Computed> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.lose(`a result took longer than ${COMPUTE_LIMIT_MS} ms`), COMPUTE_LIMIT_MS);
      this.waiting.set(id, { resolve, reject, timer });
      this.send({ do: 'compute', key, id, poll, nowMs });
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const { worker } = this;
    this.worker = undefined;
    this.failAll();
    await worker?.terminate();
  }

  private send(order: Order): void {
    if (this.isClosed) return this.failAll();
    // A thread that has been lost had the copies, too.
    if (!this.worker && order.do !== 'hold') return this.failAll();
    try {
      this.worker ??= this.start();
      this.worker.postMessage(order);
    } catch (error) {
      this.lose(error instanceof Error ? error.message : String(error));
    }
  }

  private start(): Worker {
    const worker = new Worker(this.child);
    worker.unref();
    worker.on('message', (answer: Answer) => this.settle(answer));
    worker.on('error', (error) => this.worker === worker && this.lose(error.message));
    worker.on('exit', (code) => this.worker === worker && this.lose(`it ended with code ${code}`));
    return worker;
  }

  private settle(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    if (!waiting) return;
    this.waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if (answer.problem === undefined) waiting.resolve(answer);
    else if (answer.isLost) waiting.reject(new CopyLost());
    else waiting.reject(new Error(`a result could not be computed: ${answer.problem}`));
  }

  private lose(why: string): void {
    const { worker } = this;
    this.worker = undefined;
    this.restsUntilMs = performance.now() + REST_MS;
    this.log.error(
      { why },
      'the thread that computes large results was lost; they are computed among the votes for a while',
    );
    this.onLost();
    void worker?.terminate();
    this.emit('lost');
    this.failAll();
  }

  private failAll(): void {
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new CopyLost());
    }
    this.waiting.clear();
  }
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../../core/runtime/refusal.ts';
import { pause } from '../../core/waiting/pause.ts';
import { turn } from '../../core/waiting/turn.ts';
import { isOfApi } from './requests.ts';

/** The maximum number of requests that wait for their turn, in total and on one connection. Further ones are refused. */
const MAX_WAITING = 10_000;
const MAX_ON_CONNECTION = 8;
/** Requests are answered for about this long (ms), one in each turn of the event loop, before other work comes first. */
const SPELL_MS = 2;
/** How long other work comes first, as a multiple of the time that the requests took, unless it leaves time to spare. */
const REST = 3;
/** Interval in ms between looks whether there was time to spare. */
const LOOK_EVERY_MS = 1;

/**
 * Makes requests to the API take turns in a process that also acknowledges votes: one is answered, or a piece of an export
 * computed, in each turn of the event loop, and after a spell of them the votes come first, until they leave the loop idle or
 * have had `REST` times as long. So answering gets at most a quarter of the time while votes are waiting. Connections take
 * turns, too. What operators change, such as closing a poll, and streams do not wait; joining a room, which anybody may do, does.
 */
export class Turns {
  private readonly isShared: boolean;
  /** Those who wait, by connection or export; the next is at the front. */
  private readonly waiting = new Map<object, (() => void)[]>();
  private size = 0;
  private working: Promise<void> | undefined;

  /** @param isShared whether the process also acknowledges votes; otherwise, nobody waits longer than necessary */
  constructor(isShared: boolean) {
    this.isShared = isShared;
  }

  /**
   * Follows the requests of an app. Call this before other hooks are added, which cost time as well.
   *
   * @param isOperator whether a request may wait, however many are waiting, and need not wait if it changes something
   */
  follow(app: FastifyInstance, isOperator: (request: FastifyRequest) => boolean = () => false): void {
    if (!this.isShared) return;
    app.addHook('onRequest', async (request) => {
      const { method, routeOptions } = request;
      const { socket } = request.raw;
      if (!isOfApi(request) || routeOptions.url?.endsWith('/stream')) return;
      const mayPass = isOperator(request);
      if (mayPass && method !== 'GET' && method !== 'HEAD') return;
      const isFull = this.size >= MAX_WAITING && !mayPass;
      if (isFull || (this.waiting.get(socket)?.length ?? 0) >= MAX_ON_CONNECTION) {
        throw new Refusal('busy', 'too many requests are waiting to be answered; try again in a moment');
      }
      await this.next(socket);
    });
  }

  /** Resolves when it is somebody’s turn, or soon if the process does not acknowledge votes. Long work calls it again and again. */
  next(who: object): Promise<void> {
    if (!this.isShared) return turn();
    const mine = new Promise<void>((resolve) => {
      const queue = this.waiting.get(who);
      if (queue) queue.push(resolve);
      else this.waiting.set(who, [resolve]);
    });
    this.size++;
    this.working ??= this.work();
    return mine;
  }

  private async work(): Promise<void> {
    while (this.size > 0) {
      const startMs = performance.now();
      while (this.size > 0 && performance.now() - startMs < SPELL_MS) {
        this.admitOne();
        await turn();
      }
      await rest(REST * (performance.now() - startMs));
    }
    this.working = undefined;
  }

  private admitOne(): void {
    const [first] = this.waiting;
    if (!first) return;
    const [who, queue] = first;
    this.waiting.delete(who);
    const resolve = queue.shift();
    if (queue.length > 0) this.waiting.set(who, queue);
    this.size--;
    resolve?.();
  }
}

/** Waits, at most for about `ms`, until the event loop has been idle. */
async function rest(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  const { idle } = performance.eventLoopUtilization();
  while (performance.now() < endMs && performance.eventLoopUtilization().idle === idle) await pause(LOOK_EVERY_MS);
}

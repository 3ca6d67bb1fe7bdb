import { createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { isSameText } from '../../core/devices/secret.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';

/** The header with which a screen shows its key. */
const SCREEN_KEY = 'x-pollcast-screen';

/** Decides whether a request comes from an operator, that is, has the header `Authorization: Bearer <operator token>`. */
export class Operators {
  private readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  /** True if the request has the right token, false if it has no token. @throws Refusal wrong-token if the token is wrong */
  isOperator(request: FastifyRequest): boolean {
    const given = request.headers.authorization;
    // Basic credentials belong to devices.
    if (given === undefined || /^Basic /i.test(given)) return false;
    const match = /^Bearer (\S+)$/i.exec(given);
    if (match?.[1] && isSameText(match[1], this.token)) return true;
    throw new Refusal('wrong-token', 'the operator token is wrong; `npm start` prints the right one');
  }

  /** True if the request has the right token. Unlike `isOperator`, never throws. */
  isSignedIn(request: FastifyRequest): boolean {
    try {
      return this.isOperator(request);
    } catch {
      return false;
    }
  }

  /** A Fastify hook that lets only operators through. @throws Refusal operators-only, wrong-token */
  readonly required = async (request: FastifyRequest): Promise<void> => {
    if (this.isOperator(request)) return;
    throw new Refusal('operators-only', 'operators only: send the header "Authorization: Bearer <operator token>"');
  };

  /**
   * The key with which a screen may hide and show the figures of a poll, and of all polls of its room. It allows nothing else,
   * so that a projector’s computer need not know the operator token.
   */
  screenKey({ definition: { poll, room } }: Poll): string {
    return this.keyOf(room === undefined ? `poll/${poll}` : `room/${room}`);
  }

  /** True if the request may show a room’s join code: it comes from an operator, or from a screen with the room’s key. */
  mayPresentRoom(request: FastifyRequest, room: string, door: 'open' | 'devices'): boolean {
    const key = request.headers[SCREEN_KEY];
    if (door === 'open' || (typeof key === 'string' && isSameText(key, this.keyOf(`room/${room}`)))) return true;
    return this.isSignedIn(request);
  }

  private keyOf(target: string): string {
    return createHmac('sha256', this.token).update(`screen ${target}`).digest('base64url').slice(0, 32);
  }

  /**
   * With an open door, where anybody may vote as anybody, any screen may hide and show figures.
   *
   * @throws Refusal operators-only, unless the request comes from an operator or from a screen with the poll’s key
   */
  demandPresenter(request: FastifyRequest, poll: Poll, door: 'open' | 'devices'): void {
    if (door === 'open') return;
    const key = request.headers[SCREEN_KEY];
    if (typeof key === 'string' && isSameText(key, this.screenKey(poll))) return;
    if (this.isOperator(request)) return;
    const why = 'operators only, or a screen that was opened from the operator’s page: its address contains the key';
    throw new Refusal('operators-only', why);
  }
}

import { createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isSameText } from '../../core/devices/secret.ts';
import { type Caller, ROOT_CALLER, reachesRoom } from '../../core/operators/operator.ts';
import type { OperatorRegister } from '../../core/operators/register.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { isOfApi } from './requests.ts';

/** The header with which a screen shows its key. */
const SCREEN_KEY = 'x-pollcast-screen';
const SEND_TOKEN = 'operators only: send the header "Authorization: Bearer <operator token>"';

/** Who sends a request, or why that is not known. Neither is set if no token was sent. */
interface Found {
  readonly caller?: Caller | undefined;
  readonly error?: unknown;
}

/** Knows the access tokens of an identity provider. */
interface AccessTokens {
  /** Who has this token; undefined if it is of another kind. @throws Refusal wrong-token, no-role, provider-away */
  callerOf(token: string): Promise<Caller | undefined>;
}

/**
 * Finds out which operator sends a request, by its header `Authorization: Bearer <operator token>`. The token of the deployment
 * is an admin’s; the others belong to named operators, and to persons whom an identity provider has signed in.
 */
export class Operators {
  private readonly token: string;
  private readonly register: OperatorRegister;
  private readonly accessTokens: AccessTokens | undefined;
  private readonly found = new WeakMap<FastifyRequest, Found>();
  /** Requests that were let through because of a screen’s key. */
  private readonly screens = new WeakSet<FastifyRequest>();

  constructor(token: string, register: OperatorRegister, accessTokens?: AccessTokens) {
    this.token = token;
    this.register = register;
    this.accessTokens = accessTokens;
  }

  /** Looks at the token of each request. Call this before other hooks ask whose it is. */
  follow(app: FastifyInstance): void {
    app.addHook('onRequest', async (request) => {
      if (!isOfApi(request)) return;
      const found = await this.identify(request).catch((error: unknown) => ({ error }));
      this.found.set(request, found);
    });
  }

  /** The operator who sends a request; undefined if it has no token. @throws Refusal wrong-token; StoreError */
  caller(request: FastifyRequest): Caller | undefined {
    const { caller, error } = this.found.get(request) ?? {};
    if (error !== undefined) throw error;
    return caller;
  }

  /** True if the request has a token that is wrong. */
  isWrong(request: FastifyRequest): boolean {
    const { error } = this.found.get(request) ?? {};
    return error instanceof Refusal && error.code === 'wrong-token';
  }

  /** Like `caller`, but never throws: undefined also if the token is wrong. */
  signedIn(request: FastifyRequest): Caller | undefined {
    return this.found.get(request)?.caller;
  }

  /** The operator who sends a request. @throws Refusal operators-only, wrong-token; StoreError */
  demand(request: FastifyRequest, otherwise = SEND_TOKEN): Caller {
    const caller = this.caller(request);
    if (caller) return caller;
    throw new Refusal('operators-only', otherwise);
  }

  /**
   * Checks again, once a body has arrived, whether the operator who sends a request may still act. Call this before anything is
   * changed. @throws Refusal wrong-token; StoreError
   */
  async demandCurrent(request: FastifyRequest): Promise<void> {
    const caller = this.signedIn(request);
    if (caller && hasBody(request) && !(await this.register.isCurrent(caller))) throw wrongToken();
  }

  /** True if the sender sees the figures of this room’s polls before others do. @throws Refusal wrong-token; StoreError */
  seesFigures(request: FastifyRequest, room: string | undefined): boolean {
    const caller = this.caller(request);
    return caller !== undefined && reachesRoom(caller, room);
  }

  /** True if the sender sees this room’s drafts, and the settings that are not public. @throws Refusal wrong-token; StoreError */
  seesSettings(request: FastifyRequest, room: string | undefined): boolean {
    return this.caller(request)?.role !== 'viewer' && this.seesFigures(request, room);
  }

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
    const caller = this.signedIn(request);
    return caller !== undefined && caller.role !== 'viewer' && reachesRoom(caller, room);
  }

  private keyOf(target: string): string {
    return createHmac('sha256', this.token).update(`screen ${target}`).digest('base64url').slice(0, 32);
  }

  /** True if a request comes from a screen with the poll’s key. */
  isScreen(request: FastifyRequest, poll: Poll): boolean {
    const key = request.headers[SCREEN_KEY];
    if (typeof key !== 'string' || !isSameText(key, this.screenKey(poll))) return false;
    this.screens.add(request);
    return true;
  }

  /** True if `isScreen` has found that a request comes from a screen. */
  isWithScreenKey(request: FastifyRequest): boolean {
    return this.screens.has(request);
  }

  /** The only place where a token is checked. @throws Refusal wrong-token; StoreError */
  private async identify(request: FastifyRequest): Promise<Found> {
    const given = request.headers.authorization;
    // Basic credentials belong to devices.
    if (given === undefined || /^Basic /i.test(given)) return {};
    const token = /^Bearer (\S+)$/i.exec(given)?.[1];
    if (token !== undefined && isSameText(token, this.token)) return { caller: ROOT_CALLER };
    const caller =
      token === undefined
        ? undefined
        : ((await this.accessTokens?.callerOf(token)) ?? (await this.register.find(token)));
    if (caller) return { caller };
    throw wrongToken();
  }
}

function wrongToken(): Refusal {
  return new Refusal('wrong-token', 'the operator token is wrong, or it has expired or been revoked');
}

/** True if a body follows the head of the request, which may be long after it. */
function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

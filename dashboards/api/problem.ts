import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, type Registry } from 'prom-client';
import type { Log } from '../../core/runtime/log.ts';
import { RareWarnings } from '../../core/runtime/rare-warnings.ts';
import { Refusal, type RefusalCode, TooMany } from '../../core/runtime/refusal.ts';
import { StoreError, StoreGone, StoreRefusal } from '../../core/store/error.ts';
import type { Store } from '../../core/store/store.ts';
import type { Guesses } from './limits/guesses.ts';
import { Held } from './limits/held.ts';
import type { Operators } from './operators.ts';

/** Why each request was refused or failed. */
const codes = new WeakMap<FastifyRequest, { readonly code: string; readonly error: Error }>();

/** Why a request was refused or failed, as a word; undefined if it was not. */
export function codeOf(request: FastifyRequest): string | undefined {
  return codes.get(request)?.code;
}

/** What was thrown when a request was refused or failed; undefined if nothing was. */
export function errorOf(request: FastifyRequest): Error | undefined {
  return codes.get(request)?.error;
}

/** The HTTP status of each refusal. */
const STATUS: Readonly<Record<RefusalCode, number>> = {
  'bad-definition': 400,
  'bad-devices': 400,
  'bad-guest-room': 400,
  'bad-lot': 400,
  'bad-nickname': 400,
  'bad-operator': 400,
  'bad-room': 400,
  'bad-table': 400,
  'invalid-request': 400,
  pipelined: 400,
  'sign-in-unknown': 400,
  'too-many-polls': 400,
  'operators-only': 401,
  'wrong-credentials': 401,
  'wrong-token': 401,
  'figures-hidden': 403,
  'foreign-page': 403,
  'join-code-needed': 403,
  'join-code-revoked': 403,
  'nickname-blocked': 403,
  'not-allowed': 403,
  'no-role': 403,
  'not-named': 403,
  'secret-poll': 403,
  'sign-in-refused': 403,
  'wrong-code': 403,
  'wrong-join-code': 403,
  'no-series': 404,
  'no-sign-in': 404,
  'no-such-device': 404,
  'no-such-guest': 404,
  'no-such-operator': 404,
  'no-such-option': 404,
  'no-such-poll': 404,
  'no-such-room': 404,
  'no-such-round': 404,
  'device-exists': 409,
  'edit-conflict': 409,
  'key-destroyed': 409,
  'log-removed': 409,
  'devices-changed': 409,
  'mandate-twice': 409,
  'nickname-taken': 409,
  'no-copy': 409,
  'no-quiz': 409,
  'no-rehearsals': 409,
  'no-session': 409,
  'already-withdrawn': 409,
  'not-final': 409,
  'nothing-to-draw': 409,
  'not-opened': 409,
  'open-door': 409,
  'operator-exists': 409,
  'poll-exists': 409,
  'poll-was-opened': 409,
  pseudonyms: 409,
  'rehearsal-under-way': 409,
  'too-many-operators': 409,
  'room-taken': 409,
  'too-many-interruptions': 409,
  'too-many-revoked': 409,
  'wrong-status': 409,
  'proof-needed': 429,
  'too-many-guesses': 429,
  'too-many-requests': 429,
  'too-many-streams': 429,
  busy: 503,
  'newer-entry': 503,
  'provider-away': 503,
  'series-away': 503,
  'still-closing': 503,
  'still-opening': 503,
  stopping: 503,
  'too-many-nicknames': 503,
  'too-many-viewers': 503,
};

/** Refusals that thousands of clients may get at once: for want of room, or because they want too much. */
const OVERLOAD: readonly RefusalCode[] = [
  'busy',
  'too-many-guesses',
  'too-many-requests',
  'too-many-streams',
  'too-many-viewers',
];
/** Refusals with 503 that are no trouble of all requests, or have a warning of their own. */
const WITHOUT_WARNING: ReadonlySet<string> = new Set<RefusalCode>(['stopping', 'provider-away']);
/** Refusals that are counted: also those of requests that come while the process stops. */
const COUNTED: ReadonlySet<string> = new Set<RefusalCode>([...OVERLOAD, 'stopping']);
/** Refusals of what may have been guessed, and whose secret it would be. */
const GUESSED: Readonly<Partial<Record<RefusalCode, 'operator' | 'device'>>> = {
  'wrong-token': 'operator',
  'wrong-credentials': 'device',
};
/** How long (ms) an answer is held back, by what it refuses. */
const HELD_MS: Readonly<Record<string, number>> = {
  'wrong-token': 250,
  'wrong-credentials': 250,
  'too-many-guesses': 250,
  'too-many-requests': 100,
  'too-many-streams': 100,
};

/** When a request that could not be answered now may be sent again, in seconds. */
const RETRY_AFTER_S = 2;

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Server error',
  503: 'Not available',
};

/** The content of problem details [RFC 9457]. */
interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly problems?: readonly string[];
  readonly more?: Readonly<Record<string, string>>;
}

/** An error as thrown by Fastify and its plugins. */
interface HttpError extends Error {
  readonly statusCode?: number;
  readonly validation?: readonly {
    readonly instancePath: string;
    readonly message?: string;
    readonly params: object;
  }[];
  readonly validationContext?: string;
}

/** What people who are not signed in learn of a store that takes no entries. */
const REFUSES = {
  code: 'store-refuses',
  detail: 'the store takes no entries at the moment; nothing that was confirmed is lost',
};
const GONE = {
  code: 'store-gone',
  detail: 'stored data is gone; an operator has to restore it, or go on with what is left (pollcast store accept)',
};

/**
 * Makes an app return all errors as problem details. Server errors are logged; details of unexpected ones are not returned. Only
 * operators learn what is wrong with the store, because that may name directories and servers.
 */
export function answerProblems(app: FastifyInstance, { log, store, operators, guesses, metrics }: ProblemParts): void {
  const warnings = new RareWarnings(log.child({ part: 'api' }));
  const held = new Held();
  const refused = new Counter({
    name: 'pollcast_api_requests_refused_total',
    help: 'Requests refused for want of room, because a caller wanted too much, or because the process was stopping',
    labelNames: ['code'] as const,
    registers: [metrics],
  });
  for (const code of COUNTED) refused.inc({ code }, 0);
  app.setErrorHandler(async (thrown: HttpError, request, reply) => {
    const refusedAs = thrown instanceof Refusal ? GUESSED[thrown.code] : undefined;
    // A wrong token is counted whatever the request is refused for.
    const guessed = operators.isWrong(request) ? 'operator' : refusedAs;
    const tooMany = guessed && guesses.count(request, guessed);
    const error = (refusedAs && tooMany) ?? thrown;
    const { status, code, detail, problems = [], more = {} } = refusedByStore(error, request) ?? problemOf(error);
    codes.set(request, { code, error: thrown });
    if (COUNTED.has(code)) refused.inc({ code });
    // Guesses have warnings of their own, and phones that are asked for a proof of work are not refused.
    if (status === 429 && code !== 'too-many-guesses' && code !== 'proof-needed')
      warnings.warn(code, { why: code, detail, address: request.ip }, 'requests are refused');
    // Whatever the reason is, all requests may fail for it.
    else if (status === 503 && !WITHOUT_WARNING.has(code))
      warnings.warn(code, { why: code, detail: error.message }, 'requests are refused');
    else if (status >= 500 && !WITHOUT_WARNING.has(code))
      log.error({ err: error, method: request.method, url: request.url }, 'request failed');
    if (error instanceof TooMany) reply.header('retry-after', Math.ceil(error.waitMs / 1_000));
    else if (status === 503 || status === 429) reply.header('retry-after', RETRY_AFTER_S);
    const body = { type: `urn:pollcast:${code}`, title: TITLES[status] ?? 'Error', status, detail, ...more };
    const { [code]: holdMs } = HELD_MS;
    if (holdMs !== undefined) await held.hold(holdMs);
    return reply
      .code(status)
      .type('application/problem+json')
      .send(problems.length > 0 ? { ...body, problems } : body);
  });
  /** The problem of a request that failed because the store takes no entries; undefined if that is not the reason. */
  function refusedByStore(error: HttpError, request: FastifyRequest): Problem | undefined {
    if (!(error instanceof StoreError)) return undefined;
    const condition = store.condition();
    const why = error instanceof StoreRefusal ? error.message : condition.ok ? undefined : condition.reason;
    if (why === undefined) return undefined;
    const kind = error instanceof StoreGone || (!condition.ok && condition.isGone) ? GONE : REFUSES;
    return { status: 503, code: kind.code, detail: operators.signedIn(request) ? why : kind.detail };
  }
  app.setNotFoundHandler((request, reply) => {
    const detail = `there is no ${request.method} ${request.url.split('?')[0]}; /docs lists all endpoints`;
    return reply
      .code(404)
      .type('application/problem+json')
      .send({ type: 'urn:pollcast:no-such-page', title: TITLES[404], status: 404, detail });
  });
}

interface ProblemParts {
  readonly metrics: Registry;
  readonly log: Log;
  readonly store: Pick<Store, 'condition'>;
  readonly operators: Operators;
  readonly guesses: Guesses;
}

function problemOf(error: HttpError): Problem {
  if (error instanceof Refusal) {
    const { code, message: detail, problems, more } = error;
    return { status: STATUS[code], code, detail, problems, more };
  }
  if (error.validation) {
    const problems = error.validation.map(({ instancePath, message, params }) => {
      const field = instancePath.slice(1).replaceAll('/', '.') || error.validationContext || 'body';
      const extra = 'additionalProperty' in params ? ` (${String(params.additionalProperty)})` : '';
      const allowed = 'allowedValues' in params ? `: ${(params.allowedValues as string[]).join(', ')}` : '';
      return `${field}: ${message}${extra}${allowed}`;
    });
    return { status: 400, code: 'invalid-request', detail: 'the request is not valid', problems };
  }
  if (error instanceof StoreError) {
    const detail = 'the store does not answer at the moment; nothing is lost, try again shortly';
    return { status: 503, code: 'store-away', detail };
  }
  const status = error.statusCode ?? 500;
  if (status < 500) return { status, code: 'bad-request', detail: error.message };
  return { status, code: 'server-error', detail: 'something went wrong on the server; its log has the details' };
}

import type { FastifyInstance } from 'fastify';
import type { Log } from '../core/runtime/log.ts';
import { StoreError } from '../core/store/error.ts';

/** An expected failure of a request, answered as problem details [RFC 9457]. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly problems: readonly string[];

  /**
   * @param code a short name that programs may rely on
   * @param message what is wrong and what to do instead, for a person
   * @param problems each single thing that is wrong, when there are several
   */
  constructor(status: number, code: string, message: string, problems: readonly string[] = []) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.problems = problems;
  }
}

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

interface Refused {
  readonly statusCode?: number;
  readonly message: string;
  readonly validation?: readonly {
    readonly instancePath: string;
    readonly message?: string;
    readonly params: object;
  }[];
  readonly validationContext?: string;
}

/** Makes every error of an app problem JSON; what is unexpected is logged and told without its insides. */
export function answerProblems(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: Refused, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) log.error({ err: error, method: request.method, url: request.url }, 'request failed');
    const { status, code, message, problems } = problem;
    const body = { type: `urn:pollcast:${code}`, title: TITLES[status] ?? 'Error', status, detail: message };
    return reply
      .code(status)
      .type('application/problem+json')
      .send(problems.length > 0 ? { ...body, problems } : body);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `there is no ${request.method} ${request.url.split('?')[0]}; /docs lists what there is`;
    return reply
      .code(404)
      .type('application/problem+json')
      .send({ type: 'urn:pollcast:no-such-page', title: TITLES[404], status: 404, detail });
  });
}

function toProblem(error: Refused): Problem {
  if (error instanceof Problem) return error;
  if (error.validation) {
    const problems = error.validation.map(({ instancePath, message, params }) => {
      const field = instancePath.slice(1).replaceAll('/', '.') || error.validationContext || 'body';
      const extra = 'additionalProperty' in params ? ` (${String(params.additionalProperty)})` : '';
      const allowed = 'allowedValues' in params ? `: ${(params.allowedValues as string[]).join(', ')}` : '';
      return `${field}: ${message}${extra}${allowed}`;
    });
    return new Problem(400, 'invalid-request', 'the request is not as the API wants it', problems);
  }
  if (error instanceof StoreError) {
    return new Problem(503, 'store-away', 'the store does not answer now; nothing is lost, try again in a moment');
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) return new Problem(status, 'server-error', 'something went wrong here; the log tells what');
  return new Problem(status, 'bad-request', error.message);
}

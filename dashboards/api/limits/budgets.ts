import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callerOf } from '../../../core/process/networks.ts';
import type { WaitingSockets } from '../../../core/process/waiting-sockets.ts';
import { TooMany } from '../../../core/runtime/refusal.ts';
import { Allowances } from '../../../core/waiting/allowances.ts';
import type { Operators } from '../operators.ts';
import { isOfApi } from '../requests.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How often one caller may send this request per minute, besides the limit for all requests. */
    readonly perMinute?: number;
  }
}

/** What the requests of one operator may do per second, whatever address they come from. */
const OPERATORS_PER_SECOND = 2_000;
/** How many seconds’ worth of requests may come at once: a whole hall opens the page when the question is asked. */
const BURST_SECONDS = 10;

interface BudgetParts {
  /** How many requests one address may send to the API per second. */
  readonly requestsPerSecond: number;
  readonly operators: Operators;
  readonly sockets: WaitingSockets;
}

/**
 * Limits how many requests to the API a caller may send: in total, and of those that are dear (`perMinute`). Everybody in a hall may
 * share the address of its router, so limits are those of a hall, and operators, who may be in it, have an allowance of their own.
 */
export class Budgets {
  private readonly parts: BudgetParts;
  private readonly strangers: Allowances;
  private readonly operators = new Allowances(rateOf(OPERATORS_PER_SECOND));
  /** The allowances of dear requests, by method and route. */
  private readonly byRoute = new Map<string, Allowances>();

  constructor(parts: BudgetParts) {
    this.parts = parts;
    this.strangers = new Allowances(rateOf(parts.requestsPerSecond));
  }

  /** Follows the requests of an app. Call this before other hooks are added, so that requests that are refused cost little. */
  follow(app: FastifyInstance): void {
    app.addHook('onRequest', async (request) => {
      if (!isOfApi(request)) return;
      const { operators, sockets } = this.parts;
      const operator = operators.signedIn(request)?.name;
      if (operator !== undefined) sockets.spare(request.raw.socket);
      const caller = operator === undefined ? callerOf(request.ip) : `operator ${operator}`;
      demand((operator === undefined ? this.strangers : this.operators).take(caller));
      const { perMinute } = request.routeOptions.config;
      if (perMinute !== undefined) demand(this.ofRoute(request, perMinute).take(caller));
    });
  }

  /**
   * Takes one of what an address may ask for per minute, for routes that find out late whether a request is dear. Others of the address
   * can then spend it only with requests that are.
   *
   * @throws TooMany if the caller has to wait
   */
  demandDear(request: FastifyRequest, perMinute: number): void {
    demand(this.ofRoute(request, perMinute).take(callerOf(request.ip)));
  }

  /** Takes a request of a caller who shows no token from its allowance. @returns whether there was one left */
  take(address: string): boolean {
    return this.strangers.take(callerOf(address)) === 0;
  }

  private ofRoute({ method, routeOptions }: FastifyRequest, perMinute: number): Allowances {
    const route = `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url}`;
    const known = this.byRoute.get(route) ?? new Allowances({ burst: perMinute, perSecond: perMinute / 60 });
    this.byRoute.set(route, known);
    return known;
  }
}

/** @throws TooMany if the caller has to wait */
function demand(waitMs: number): void {
  if (waitMs === 0) return;
  throw new TooMany('too-many-requests', 'too many requests in a short time; try again in a moment', waitMs);
}

function rateOf(perSecond: number) {
  return { burst: perSecond * BURST_SECONDS, perSecond };
}

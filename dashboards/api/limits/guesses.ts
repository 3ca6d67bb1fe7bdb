import type { FastifyRequest } from 'fastify';
import { Counter, type Registry } from 'prom-client';
import { callerOf } from '../../../core/process/networks.ts';
import type { Log } from '../../../core/runtime/log.ts';
import { RareWarnings } from '../../../core/runtime/rare-warnings.ts';
import { TooMany } from '../../../core/runtime/refusal.ts';
import { Allowances } from '../../../core/waiting/allowances.ts';

/** Whose credentials are tried, and how many wrong ones from one address are answered with 401; beyond that, with 429. */
const RATES = {
  operator: { burst: 10, perSecond: 1 / 6 },
  /** A whole hall may come back with credentials that are not valid any more. */
  device: { burst: 300, perSecond: 5 },
} as const;
type Who = keyof typeof RATES;

const WRONG: Readonly<Record<Who, string>> = { operator: 'operator token', device: 'credentials of a device' };

/**
 * Wrong operator tokens and wrong credentials of devices, by address. The answer to each is held back, and after some of them it is
 * 429 for a while. The right ones are always let in, also from an address that is guessing: otherwise, anybody in a hall could lock
 * out the operator, who shares the address of its router. So this does not keep anybody from trying; that nothing is found by trying
 * is up to the length of at least 16 characters. But guessing is slow, and nobody can do it unnoticed.
 */
export class Guesses {
  private readonly allowances: Readonly<Record<Who, Allowances>> = {
    operator: new Allowances(RATES.operator),
    device: new Allowances(RATES.device),
  };
  private readonly warnings: RareWarnings;
  private readonly wrong: Counter<'who'>;

  constructor(metrics: Registry, log: Log) {
    this.warnings = new RareWarnings(log.child({ part: 'api' }));
    this.wrong = new Counter({
      name: 'pollcast_wrong_credentials_total',
      help: 'Requests with a wrong operator token or wrong credentials of a device',
      labelNames: ['who'] as const,
      registers: [metrics],
    });
    for (const who of Object.keys(RATES)) this.wrong.inc({ who }, 0);
  }

  /** Counts a wrong token, or wrong credentials. @returns what to answer instead of 401, if there were too many from this address */
  count(request: FastifyRequest, who: Who): TooMany | undefined {
    this.wrong.inc({ who });
    const waitMs = this.allowances[who].take(callerOf(request.ip));
    const why = waitMs > 0 ? `many requests from one address with a wrong ${WRONG[who]}` : `a wrong ${WRONG[who]}`;
    this.warnings.warn(why, { address: request.ip }, why);
    if (waitMs === 0) return undefined;
    return new TooMany('too-many-guesses', `too many requests from this address had a wrong ${WRONG[who]}`, waitMs);
  }
}

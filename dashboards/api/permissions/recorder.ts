import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter, type Registry } from 'prom-client';
import type { AuditFact } from '../../../core/audit/trail/fact.ts';
import type { AuditTrail } from '../../../core/audit/trail/trail.ts';
import type { Caller, Role } from '../../../core/operators/operator.ts';
import type { Log } from '../../../core/runtime/log.ts';
import { Refusal, TooMany } from '../../../core/runtime/refusal.ts';
import { StoreRefusal } from '../../../core/store/error.ts';
import type { Rate } from '../../../core/waiting/allowance.ts';
import { Allowances } from '../../../core/waiting/allowances.ts';
import type { Operators } from '../operators.ts';
import { codeOf, errorOf } from '../problem.ts';
import { Allowance } from './allowance.ts';
import { ruleOf } from './permissions.ts';
import { followWrites, type Writes } from './writes.ts';

/**
 * What is recorded per minute of those without a token and of persons without a role, in each process: so they cannot push actions out
 * of the trail. Anybody may get any number of accounts at some identity providers.
 */
const OF_STRANGERS_PER_MINUTE = 10;
/** How many refusals of one operator, or of all screens, are recorded per minute. */
const OF_ONE_PER_MINUTE = 60;
/**
 * How many recorded actions one operator may carry out per minute, and at once, in each process: nobody can push what others did
 * out of the trail. The token of the deployment is also that of programs, which import and export.
 */
const ACTIONS_PER_MINUTE = { root: 1_000, named: 300 } as const;
/** How many devices a record names: all that one request can give codes or secrets. */
const MAX_NAMED = 200;
/** Refusals that are recorded whatever was asked for: they concern who may do something. */
const OF_PERMISSION: ReadonlySet<string> = new Set([
  ...['foreign-page', 'no-role', 'not-allowed', 'operators-only', 'sign-in-refused', 'wrong-token', 'too-many-guesses'],
]);

/** What a route knows of an action. Values are short, and contain no secrets. */
export interface Note {
  /** Who it is, if the request has no token of theirs yet; without a role until it is known which. */
  readonly who?: { readonly name: string; readonly issuer?: string; readonly role?: Role };
  readonly target?: string;
  readonly round?: number;
  readonly before?: object | undefined;
  readonly after?: object | undefined;
  /** The ids of an action for many devices; a record names the first `MAX_NAMED`. */
  readonly devices?: readonly string[] | undefined;
  /** True if `before` and `after` are of one write: if they are the same, nothing was changed, and nothing is recorded. */
  readonly isOneWrite?: true;
}

interface RecorderParts {
  readonly trail: AuditTrail;
  readonly operators: Operators;
  readonly metrics: Registry;
  readonly log: Log;
}

/** Records the actions of operators, and what was refused, in the audit trail and the log, before the answer is sent. */
export class Recorder {
  private readonly parts: RecorderParts;
  private readonly notes = new WeakMap<FastifyRequest, Note>();
  private readonly allowance = new Allowance();
  private readonly actions = {
    root: new Allowances(rateOf(ACTIONS_PER_MINUTE.root)),
    named: new Allowances(rateOf(ACTIONS_PER_MINUTE.named)),
  };
  /** The actions that have begun and are to be recorded, with what they have written. */
  private readonly underWay = new Map<FastifyRequest, Writes>();
  private readonly lost: Counter;
  private readonly refused: Counter<'code'>;

  constructor(parts: RecorderParts) {
    this.parts = parts;
    this.lost = new Counter({
      name: 'pollcast_audit_records_lost_total',
      help: 'Operator actions that the store did not take into the audit trail; the log has them',
      registers: [parts.metrics],
    });
    this.refused = new Counter({
      name: 'pollcast_operator_refusals_total',
      help: 'Requests that were refused because of who sent them, by reason, recorded in the audit trail or not',
      labelNames: ['code'] as const,
      registers: [parts.metrics],
    });
    for (const code of OF_PERMISSION) this.refused.inc({ code }, 0);
  }

  /** Adds what a route knows of the action that it carries out. */
  note(request: FastifyRequest, note: Note): void {
    this.notes.set(request, { ...this.notes.get(request), ...note });
  }

  /** Refuses actions that could not be recorded, and records the others. */
  follow(app: FastifyInstance): void {
    // Once the body has arrived and is valid, and before the action takes effect.
    app.addHook('preHandler', async (request) => {
      if (!ruleOf(request)?.isRecorded) return;
      this.demandAllowance(this.parts.operators.signedIn(request));
      this.parts.trail.demandPlace(this.underWay.size);
      this.underWay.set(request, { hasWritten: false });
    });
    // Takes a callback, because only what is called from here on belongs to the request.
    app.addHook('preHandler', (request, _, done) => {
      const writes = this.underWay.get(request);
      if (writes) followWrites(writes, done);
      else done();
    });
    app.addHook('onSend', async (request, reply) => {
      const writes = this.underWay.get(request);
      // From here on, its record itself is counted.
      this.underWay.delete(request);
      const fact = this.factOf(request, reply, writes);
      if (fact) await this.record(fact);
    });
  }

  /** @throws TooMany if an operator has carried out too many recorded actions */
  private demandAllowance(caller: Caller | undefined): void {
    if (!caller) return;
    const waitMs = this.actions[caller.credential === undefined ? 'root' : 'named'].take(keyOf(caller));
    if (waitMs === 0) return;
    const why =
      'too many actions in a short time, all of which would be recorded in the audit trail; try again in a moment';
    throw new TooMany('too-many-requests', why, waitMs);
  }

  /** What happened, if it belongs in the trail. @param writes what an action that is recorded has written; undefined if none had begun */
  private factOf(
    request: FastifyRequest,
    { statusCode }: FastifyReply,
    writes: Writes | undefined,
  ): AuditFact | undefined {
    const rule = ruleOf(request);
    const code = codeOf(request);
    const isPermission = code !== undefined && OF_PERMISSION.has(code);
    if (isPermission) this.refused.inc({ code });
    if (!rule?.isRecorded && !isPermission) return undefined;
    const { action } = rule ?? { action: 'path.unknown' };
    const { operators } = this.parts;
    const caller = operators.signedIn(request) ?? this.notes.get(request)?.who;
    const other = operators.isWithScreenKey(request) ? 'screen' : 'stranger';
    const who = caller?.name ?? other;
    const outcome = outcomeOf(request, statusCode, writes);
    const wasDone = outcome === 'done' || outcome === 'unknown';
    if (outcome === 'done' && this.hasChangedNothing(request)) return undefined;
    // What operators do, or may have done, is always recorded. Everything else is limited.
    const role = caller?.role ?? null;
    const reason = outcome === 'done' ? undefined : (code ?? String(statusCode));
    if (caller && wasDone) return this.fact(request, { who, role, outcome, action, code: reason });
    const key = caller?.role === undefined ? other : keyOf(caller);
    const leftOut = this.allowance.take(key, key === 'stranger' ? OF_STRANGERS_PER_MINUTE : OF_ONE_PER_MINUTE);
    if (leftOut === undefined) return undefined;
    return this.fact(request, {
      ...{ who, role, outcome, action },
      code: reason,
      leftOut: leftOut === 0 ? undefined : leftOut,
    });
  }

  /** The identity provider that has identified who sends a request. */
  private issuerOf(request: FastifyRequest): string | undefined {
    return (this.parts.operators.signedIn(request) ?? this.notes.get(request)?.who)?.issuer;
  }

  /** True if an action has left everything as it was, such as hiding what is hidden. */
  private hasChangedNothing(request: FastifyRequest): boolean {
    const { before, after, isOneWrite } = this.notes.get(request) ?? {};
    return isOneWrite === true && isDeepStrictEqual(before, after);
  }

  private fact(
    request: FastifyRequest,
    known: Pick<AuditFact, 'who' | 'role' | 'outcome' | 'action' | 'code' | 'leftOut'>,
  ): AuditFact {
    const { who, role, action, outcome, code, leftOut } = known;
    const { target, round, before, after, devices } = this.notes.get(request) ?? {};
    const mayHaveChanged = outcome === 'done' || outcome === 'unknown';
    return {
      ...{ who, issuer: this.issuerOf(request), role, action },
      ...{ target: target ?? targetOf(request), from: request.ip, outcome, code, round },
      // What an action would have changed is of no interest if it was refused.
      before: mayHaveChanged && before ? JSON.stringify(before) : undefined,
      after: mayHaveChanged && after ? JSON.stringify(after) : undefined,
      devices: mayHaveChanged ? devices?.slice(0, MAX_NAMED) : undefined,
      leftOut,
    };
  }

  private async record(fact: AuditFact): Promise<void> {
    const { trail, log } = this.parts;
    const { number } = await trail.append(fact).catch((error) => {
      this.lost.inc();
      log.error({ part: 'audit', err: error, fact }, 'an operator action could not be recorded in the audit trail');
      return { number: undefined };
    });
    log.info({ part: 'audit', record: number, fact }, 'operator action');
  }
}

/**
 * What became of a request. An action that ended with a refusal before anything was written has certainly not been done; one that was
 * cut off, or ended with another error, may have been.
 */
function outcomeOf(request: FastifyRequest, statusCode: number, writes: Writes | undefined): AuditFact['outcome'] {
  if (statusCode < 400) return 'done';
  if (statusCode < 500) return 'refused';
  if (!writes) return 'failed';
  const error = errorOf(request);
  const isRefused = error instanceof StoreRefusal || (error instanceof Refusal && error.code !== 'stopping');
  return isRefused && !writes.hasWritten ? 'failed' : 'unknown';
}

/**
 * Under which name the actions and refusals of an operator are limited. Of a person’s name, only the part that nobody can choose: the
 * subject, which comes first.
 */
function keyOf({ name }: Pick<Caller, 'name'>): string {
  return name.split(' (', 1)[0] ?? name;
}

function rateOf(perMinute: number): Rate {
  return { burst: perMinute, perSecond: perMinute / 60 };
}

const TARGETS = ['poll', 'device', 'guest', 'operator', 'room'] as const;

/** What a request is about, from its path, such as `poll/q`. */
function targetOf({ params }: FastifyRequest): string {
  const given = (params ?? {}) as Readonly<Partial<Record<string, string>>>;
  const name = TARGETS.find((one) => given[one] !== undefined);
  return name === undefined ? '' : `${name}/${given[name]}`;
}

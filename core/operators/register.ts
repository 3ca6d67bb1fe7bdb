import { createHash } from 'node:crypto';
import { hashSecret, isSecret, newSecret } from '../devices/secret.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Registry } from '../store/store.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../voting/rules/text/identifier.ts';
import {
  type Caller,
  type Claimed,
  isValidAt,
  nameOf,
  type Operator,
  type Person,
  RESERVED_NAMES,
  type Role,
  SESSION_PREFIX,
} from './operator.ts';
import { asNow, MAX_SESSIONS, makePlace, type SessionRules } from './sessions.ts';

/** The maximum number of named operators. */
const MAX_OPERATORS = 1_000;
/** The maximum number of rooms to which one operator may be limited. */
const MAX_ROOMS = 100;
/** Longer texts are not looked up: no token is that long. */
const MAX_TOKEN_LENGTH = 128;
/** Compared with the token of a name that does not exist, so that the answer takes as long. */
const NOBODY = hashSecret(newSecret());

/** An operator to be created. */
export interface NewOperator {
  readonly operator: string;
  readonly role: Role;
  readonly rooms?: readonly string[] | undefined;
  /** In ms since 1970. */
  readonly expiresAtMs?: number | undefined;
}

/** A session to be begun. */
export interface NewSession {
  readonly person: Person;
  readonly role: Role;
  readonly rooms?: readonly string[] | undefined;
  /** What the role and the rooms follow from. */
  readonly claimed: Claimed;
  /** In ms since 1970. */
  readonly expiresAtMs: number;
  /** What belongs to this sign-in alone. No other session can be begun with it while this one lasts. */
  readonly once: string;
}

/** An operator, with the token, which is shown only once. */
export interface Issued {
  readonly operator: Operator;
  readonly token: string;
}

/**
 * Creates, lists and revokes named operators, and the sessions of persons whom an identity provider has signed in. A token is
 * `<name>.<secret>`, with a secret of 144 random bits. Every process reads the store whenever it is shown a token, so a revoked token
 * works nowhere from the moment its document is gone.
 */
export class OperatorRegister {
  private readonly registry: Registry;
  private readonly rules: SessionRules | undefined;

  /** @param rules what sessions depend on; undefined: without an identity provider, none are valid */
  constructor(registry: Registry, rules?: SessionRules) {
    this.registry = registry;
    this.rules = rules;
  }

  /** All named operators, and all sessions that have not ended, sorted by name. */
  async list(): Promise<readonly Operator[]> {
    const found = await this.registry.list<Operator>('operators');
    return found
      .map(({ value }) => this.asNow(value))
      .filter((one) => one !== undefined)
      .sort((a, b) => (a.operator < b.operator ? -1 : 1));
  }

  /**
   * Stores an operator, and returns the token, which is shown only once.
   *
   * @param by the name of who creates the operator
   * @throws Refusal bad-operator, operator-exists, too-many-operators
   */
  async create(wanted: NewOperator, by: string): Promise<Issued> {
    demandValid(wanted);
    const kept = await this.registry.list<Operator>('operators');
    if (kept.filter(({ value }) => value.person === undefined).length >= MAX_OPERATORS) {
      throw new Refusal('too-many-operators', `there are ${MAX_OPERATORS} operators already; revoke some first`);
    }
    const { operator: name, role, rooms, expiresAtMs } = wanted;
    const secret = newSecret();
    const operator: Operator = {
      operator: name,
      role,
      rooms,
      ...hashSecret(secret),
      createdAtMs: Date.now(),
      createdBy: by,
      expiresAtMs,
    };
    if ((await this.registry.put('operators', name, operator, 0)) === undefined) {
      throw new Refusal('operator-exists', `operator ${name} already exists; revoke it first to give it a new token`);
    }
    return { operator, token: `${name}.${secret}` };
  }

  /**
   * Begins the session of a person, and removes those that have ended.
   *
   * @returns also the sessions of other persons that end because there are too many
   * @throws Refusal sign-in-unknown if the sign-in has begun a session already; too-many-operators
   */
  async beginSession(wanted: NewSession): Promise<Issued & { readonly displaced: readonly Operator[] }> {
    const { person, role, rooms, claimed, expiresAtMs, once } = wanted;
    const kept = await this.registry.list<Operator>('operators');
    const sessions = kept.map(({ value }) => value).filter((one) => one.person !== undefined);
    const valid = sessions.map((one) => this.asNow(one)).filter((one) => one !== undefined);
    const place = makePlace(valid, { subject: person.subject, role });
    if (!place) {
      const why = `there are ${MAX_SESSIONS} sessions of higher roles already; end some first`;
      throw new Refusal('too-many-operators', why);
    }
    const ended = [...sessions.filter((one) => !this.asNow(one)), ...place.own, ...place.others];
    const secret = newSecret();
    const operator: Operator = {
      operator: SESSION_PREFIX + createHash('sha256').update(once).digest('hex').slice(0, 24),
      ...{ role, rooms, person, claimed, expiresAtMs },
      ...hashSecret(secret),
      createdAtMs: Date.now(),
      createdBy: person.issuer,
    };
    if ((await this.registry.put('operators', operator.operator, operator, 0)) === undefined) {
      throw new Refusal('sign-in-unknown', 'this sign-in has been completed already; begin again');
    }
    for (const one of ended) await this.registry.remove('operators', one.operator);
    return { operator, token: `${operator.operator}.${secret}`, displaced: place.others };
  }

  /** Who has this token; undefined if nobody has it any more. */
  async find(token: string): Promise<Caller | undefined> {
    const dot = token.indexOf('.');
    const [name, secret] = [token.slice(0, Math.max(0, dot)), token.slice(dot + 1)];
    if (token.length > MAX_TOKEN_LENGTH || !isIdentifier(name)) return undefined;
    const found = await this.registry.get<Operator>('operators', name);
    const isRight = isSecret(secret, found?.value ?? NOBODY);
    const operator = found && isRight ? this.asNow(found.value) : undefined;
    return operator && isValidAt(operator, Date.now()) ? callerOf(operator) : undefined;
  }

  /** True if a caller’s token still works, with the same role and rooms. */
  async isCurrent(caller: Caller): Promise<boolean> {
    if (caller.credential === undefined) return true;
    if (caller.untilMs !== undefined) return Date.now() < caller.untilMs;
    const found = await this.registry.get<Operator>('operators', caller.session ?? caller.name);
    if (found?.value.hash !== caller.credential) return false;
    const operator = this.asNow(found.value);
    return operator !== undefined && isValidAt(operator, Date.now());
  }

  /** Sets when a token stops working. @param expiresAtMs undefined: never @throws Refusal no-such-operator, bad-operator */
  async expire(name: string, expiresAtMs: number | undefined): Promise<{ before: Operator; after: Operator }> {
    for (;;) {
      const found = await this.registry.get<Operator>('operators', name);
      if (!found) throw noSuchOperator(name);
      const before = this.asNow(found.value) ?? found.value;
      const { person, expiresAtMs: endMs } = before;
      if (person && !(expiresAtMs !== undefined && endMs !== undefined && expiresAtMs <= endMs)) {
        throw new Refusal(
          'bad-operator',
          'expiresAt: a session can only be ended earlier; the person can sign in again',
        );
      }
      const after = { ...before, expiresAtMs };
      if (await this.registry.put('operators', name, after, found.version)) return { before, after };
    }
  }

  /** Removes an operator, whose token works no longer, and returns what was removed. @throws Refusal no-such-operator */
  async revoke(name: string): Promise<Operator> {
    for (;;) {
      const found = await this.registry.get<Operator>('operators', name);
      if (!found) throw noSuchOperator(name);
      // What is returned is what was removed, also if the operator is changed or created again at the same moment.
      if (await this.registry.remove('operators', name, found.version)) return this.asNow(found.value) ?? found.value;
    }
  }

  private asNow(one: Operator): Operator | undefined {
    return asNow(one, this.rules, Date.now());
  }
}

function callerOf({ operator, role, rooms, hash, person }: Operator): Caller {
  if (!person) return { name: operator, role, rooms, credential: hash };
  return { name: nameOf(person), issuer: person.issuer, session: operator, role, rooms, credential: hash };
}

/** @throws Refusal bad-operator */
function demandValid({ operator, role, rooms, expiresAtMs }: NewOperator): void {
  const problems: string[] = [];
  if (!isIdentifier(operator)) problems.push(`operator: must be ${IDENTIFIER_RULE}`);
  if (RESERVED_NAMES.includes(operator) || operator.startsWith(SESSION_PREFIX))
    problems.push(`operator: ${operator} is reserved; choose another name`);
  if (rooms !== undefined) {
    if (role === 'admin')
      problems.push('rooms: an admin is not limited to rooms; choose another role, or leave rooms out');
    if (rooms.length === 0 || rooms.length > MAX_ROOMS)
      problems.push(`rooms: 1 to ${MAX_ROOMS} rooms, or leave it out`);
    for (const room of rooms) if (!isIdentifier(room)) problems.push(`rooms: a room name must be ${IDENTIFIER_RULE}`);
  }
  if (expiresAtMs !== undefined && !(expiresAtMs > Date.now())) problems.push('expiresAt: must be in the future');
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  if (problems.length > 0) throw new Refusal('bad-operator', `this operator cannot be created: ${count}`, problems);
}

function noSuchOperator(name: string): Refusal {
  return new Refusal('no-such-operator', `there is no operator ${JSON.stringify(name)}`);
}

import { createHash } from 'node:crypto';
import type { Counter } from 'prom-client';
import { type Caller, type Claimed, nameOf, type Operator, type Person } from '../../core/operators/operator.ts';
import type { Issued, OperatorRegister } from '../../core/operators/register.ts';
import { claimedValues, type Rights, rightsOf } from '../../core/operators/rights.ts';
import type { SessionRules } from '../../core/operators/sessions.ts';
import type { Log } from '../../core/runtime/log.ts';
import { RareWarnings } from '../../core/runtime/rare-warnings.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { StoreError } from '../../core/store/error.ts';
import type { Registry } from '../../core/store/store.ts';
import { ProviderAway } from './line.ts';
import { PendingSignIns } from './pending.ts';
import { Provider, type ProviderSettings } from './provider.ts';
import { type Claims, claimAt, personOf } from './rights.ts';

const HOUR_MS = 3_600_000;
/** JWTs are longer than tokens of operators, and have three parts. */
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;
/** Longer access tokens are refused. They would not fit into a header together with anything else. */
const MAX_TOKEN_LENGTH = 12_000;
/** The maximum size, as JSON, of the values of the role claim, all of which are kept with a session. */
const MAX_CLAIMED_LENGTH = 32_000;

export interface SignInSettings extends Omit<ProviderSettings, 'redirectUri'>, SessionRules {
  /** What the sign-in page calls the provider. */
  readonly name: string;
  /** The public address of Pollcast, without a trailing slash. */
  readonly publicUrl: string;
}

export interface SignInParts {
  readonly registry: Registry;
  readonly register: OperatorRegister;
  /** Counts sign-ins, and access tokens that were refused. */
  readonly outcomes: Counter<'outcome'>;
  readonly log: Log;
}

/** A sign-in that is complete. */
export interface SignedIn extends Issued {
  readonly returnTo: string;
  /** The sessions of other persons that ended for this one. */
  readonly displaced: readonly Operator[];
}

/** What happens on the way to a session. */
export interface Steps {
  /** Called when the browser has shown the sign-in that it began, before the provider is asked. What it throws ends the attempt. */
  readonly onMatch: () => void;
  /** Called when it is known who signs in, before it is decided whether they may. */
  readonly onKnown: (who: Person) => void;
}

/**
 * Signs operators in at an identity provider. A sign-in ends in a session with a token, like that of a named operator, so everything
 * else need not know about providers. Access tokens that the provider gives to programs are accepted, too, if they have an audience.
 */
export class SignIn {
  readonly settings: SignInSettings;
  private readonly parts: SignInParts;
  private readonly provider: Provider;
  private readonly pending: PendingSignIns;
  private readonly warnings: RareWarnings;

  constructor(settings: SignInSettings, parts: SignInParts) {
    this.settings = settings;
    this.parts = parts;
    this.warnings = new RareWarnings(parts.log.child({ part: 'sign-in' }));
    this.provider = new Provider({ ...settings, redirectUri: `${settings.publicUrl}/signed-in` }, ({ message: why }) =>
      this.warnings.warn('stale', { why }, 'the identity provider cannot be read again; what is known of it serves'),
    );
    this.pending = new PendingSignIns(parts.registry, settings.publicUrl);
  }

  /**
   * Begins a sign-in.
   *
   * @param returnTo the part of the operator’s page to return to, such as `#/polls/q`
   * @returns the address to which the browser goes, and the header `set-cookie`
   * @throws Refusal provider-away; StoreError
   */
  async begin(returnTo: string): Promise<{ readonly address: string; readonly cookie: string }> {
    try {
      const { address, pending } = await this.provider.begin(returnTo);
      return { address, cookie: await this.pending.keep(pending) };
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  /** The header `set-cookie` that forgets a sign-in that was begun. */
  get forget(): string {
    return this.pending.forget;
  }

  /**
   * Completes a sign-in, and begins a session.
   *
   * @param query the query with which the provider sent the browser back
   * @param cookies the request’s header `cookie`
   * @throws Refusal sign-in-unknown, sign-in-refused, no-role, provider-away, too-many-operators; StoreError
   */
  async complete(query: string, cookies: string | undefined, { onMatch, onKnown }: Steps): Promise<SignedIn> {
    const pending = await this.pending.find(cookies);
    if (!pending || new URLSearchParams(query).get('state') !== pending.state) {
      this.parts.outcomes.inc({ outcome: 'unknown' });
      throw new Refusal(
        'sign-in-unknown',
        'this sign-in was not begun in this browser, or more than ten minutes ago; begin again',
      );
    }
    onMatch();
    const claims = await this.provider.complete(query, pending).catch((error) => {
      throw this.refusalOf(error);
    });
    const person = this.personIn(claims);
    onKnown(person);
    const rights = this.rightsIn(claims, person);
    const claimed = this.claimedIn(claims);
    const expiresAtMs = Date.now() + this.settings.sessionHours * HOUR_MS;
    const session = { ...rights, person, claimed, expiresAtMs, once: pending.state };
    const issued = await this.parts.register.beginSession(session);
    this.parts.outcomes.inc({ outcome: 'done' });
    return { ...issued, returnTo: pending.returnTo };
  }

  /**
   * The holder of an access token of the provider; undefined for any other token.
   *
   * @throws Refusal wrong-token, no-role, provider-away
   */
  async callerOf(token: string): Promise<Caller | undefined> {
    if (this.settings.audience === '' || token.length > MAX_TOKEN_LENGTH || !JWT.test(token)) return undefined;
    const claims = await this.provider.accessClaims(token).catch((error) => {
      throw this.refusalOf(error, 'wrong-token');
    });
    const person = this.personIn(claims);
    const rights = this.rightsIn(claims, person);
    const credential = createHash('sha256').update(token).digest('base64url');
    const { issuer } = person;
    return { name: nameOf(person), issuer, ...rights, credential, untilMs: claims.untilMs };
  }

  /** What to keep with a session, so that a change of the mapping applies to it. @throws Refusal sign-in-refused */
  private claimedIn(claims: Claims): Claimed {
    const { clientId, roleClaim } = this.settings;
    const values = claimedValues(claimAt(claims, roleClaim));
    if (JSON.stringify(values).length <= MAX_CLAIMED_LENGTH) return { clientId, claim: roleClaim, values };
    this.parts.outcomes.inc({ outcome: 'refused' });
    const why = `the claim ${JSON.stringify(roleClaim)} has more than ${MAX_CLAIMED_LENGTH} characters; let the identity provider send only the values that POLLCAST_OIDC_ROLES needs`;
    this.warnings.warn('claimed', { why }, 'a sign-in was refused');
    throw new Refusal('sign-in-refused', why);
  }

  private personIn(claims: Claims): Person {
    const person = personOf(this.settings.issuer, claims);
    if (person) return person;
    this.parts.outcomes.inc({ outcome: 'refused' });
    throw new Refusal(
      'sign-in-refused',
      'the identity provider sent a subject that is not 1 to 255 visible characters',
    );
  }

  /** @throws Refusal no-role */
  private rightsIn(claims: Claims, person: Person): Rights {
    const { roleClaim, roles, name } = this.settings;
    const claimed = claimAt(claims, roleClaim);
    const rights = rightsOf(claimed, roles);
    if (rights) return rights;
    this.parts.outcomes.inc({ outcome: 'no-role' });
    const facts = { who: nameOf(person), claim: roleClaim, claimed: JSON.stringify(claimed)?.slice(0, 500) };
    this.warnings.warn('no-role', facts, 'POLLCAST_OIDC_ROLES gives somebody who signed in no role');
    throw new Refusal(
      'no-role',
      `${name} knows you as ${person.name || person.subject}, but that gives you no role here: no value of the claim ${JSON.stringify(roleClaim)} is in POLLCAST_OIDC_ROLES; ask an administrator for a role, or sign in with a token`,
    );
  }

  /** What to answer when a provider does not answer, or its answer must not be trusted. The log has the reason. */
  private refusalOf(error: unknown, code: 'sign-in-refused' | 'wrong-token' = 'sign-in-refused'): unknown {
    const { name } = this.settings;
    if (error instanceof ProviderAway) {
      this.parts.outcomes.inc({ outcome: 'away' });
      this.warnings.warn('away', { why: error.message }, 'the identity provider does not answer; tokens go on working');
      return new Refusal('provider-away', `${name} does not answer; try again in a moment, or sign in with a token`);
    }
    if (!(error instanceof Error) || error instanceof StoreError) return error;
    this.parts.outcomes.inc({ outcome: 'refused' });
    const reason = reasonOf(error);
    this.warnings.warn(
      code,
      { why: error.message, reason, cause: causeOf(error) },
      'a sign-in or access token was refused',
    );
    if (code === 'wrong-token') return new Refusal(code, 'the access token is wrong, or it has expired');
    const why = reason === undefined ? '' : ` (${reason})`;
    return new Refusal(code, `${name} did not sign you in${why}; begin again, or sign in with a token`);
  }
}

/** The reason that the provider gave, as a word such as `access_denied` [RFC 6749, sections 4.1.2.1 and 5.2]. */
function reasonOf(error: Error): string | undefined {
  const { error: reason } = error as { readonly error?: unknown };
  return typeof reason === 'string' && /^[a-z_]{1,40}$/.test(reason) ? reason : undefined;
}

/** The message of what caused an error, which says more than that of the library. */
function causeOf({ cause }: Error): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}

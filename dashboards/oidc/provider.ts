import { createRemoteJWKSet, customFetch as fetchOfKeys, type JWTPayload, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { ProviderAway, ProviderLine } from './line.ts';
import type { Pending } from './pending.ts';
import { type Claims, claimAt } from './rights.ts';

/** The age in ms from which a discovery document is read again. */
const DISCOVERY_MS = 3_600_000;
/** The age in ms from which keys are read again, and how soon an unknown key may cause that. */
const KEYS_MS = 600_000;
const KEYS_PAUSE_MS = 30_000;
/**
 * The maximum age in ms of both. Until then, they serve while they are read again, so that nobody waits for a provider that does not
 * answer. It is limited because a provider may have withdrawn a key meanwhile.
 */
const MAX_AGE_MS = 24 * 3_600_000;
/** How far in seconds the provider’s clock may differ from ours. */
const CLOCK_TOLERANCE_S = 30;
/** Signatures with the provider’s private key. With the others, `none` and HMAC, anybody could sign. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** The types of JWTs that may be access tokens [RFC 9068, and providers that came before it]. */
const ACCESS_TOKEN_TYPE = /^(?:(?:application\/)?at\+jwt|jwt)$/i;

/** A provider, and what Pollcast is at it. */
export interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Empty for a public client. */
  readonly clientSecret: string;
  readonly scopes: string;
  readonly roleClaim: string;
  /** The audience of access tokens; empty if none are accepted. */
  readonly audience: string;
  /** Where the provider sends browsers back to. */
  readonly redirectUri: string;
}

/** What has been discovered about a provider. */
interface Discovered {
  readonly client: oidc.Configuration;
  readonly issuer: string;
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
  /** When it was read, on the clock of `performance.now()`. */
  readonly atMs: number;
}

/**
 * An identity provider [OpenID Connect Core 1.0]: the authorization code flow with PKCE [RFC 7636] by openid-client, and signatures by
 * jose. Methods reject with `ProviderAway` if the provider does not answer; every other error means that it refused, or that what came
 * back must not be trusted.
 */
export class Provider {
  private readonly settings: ProviderSettings;
  private readonly onStale: (error: ProviderAway) => void;
  private readonly line = new ProviderLine();
  private found: Discovered | undefined;
  private finding: Promise<Discovered> | undefined;
  /** When the keys were last read, or should have been, on the clock of `performance.now()`. */
  private keysAtMs = 0;

  /** @param onStale called when the discovery document or the keys could not be read again, so that older ones serve */
  constructor(settings: ProviderSettings, onStale: (error: ProviderAway) => void = () => {}) {
    this.settings = settings;
    this.onStale = onStale;
  }

  /** Begins a sign-in: what to remember of it, and the address to which the browser goes. */
  async begin(returnTo: string): Promise<{ readonly address: string; readonly pending: Pending }> {
    const { client } = await this.discovered();
    const pending = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
      returnTo,
    };
    const address = oidc.buildAuthorizationUrl(client, {
      ...{ redirect_uri: this.settings.redirectUri, scope: this.settings.scopes },
      ...{ state: pending.state, nonce: pending.nonce },
      code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    });
    return { address: address.href, pending };
  }

  /**
   * Completes a sign-in.
   *
   * @param query the query with which the browser came back
   * @returns the claims of the ID token, with the role claim of the UserInfo endpoint if the token has none
   */
  async complete(query: string, { state, nonce, verifier }: Pending): Promise<Claims> {
    const { client } = await this.discovered();
    const back = new URL(this.settings.redirectUri);
    back.search = query;
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    const tokens = await answered(oidc.authorizationCodeGrant(client, back, checks));
    const claims = await this.verified(tokens.id_token ?? '', this.settings.clientId);
    if (claims.nonce !== nonce) throw new Error('the ID token belongs to another sign-in');
    const { roleClaim } = this.settings;
    if (claimAt(claims, roleClaim) !== undefined || !client.serverMetadata().userinfo_endpoint) return claims;
    // Many providers keep ID tokens short.
    const more = await answered(oidc.fetchUserInfo(client, tokens.access_token, claims.sub ?? ''));
    return { ...claims, ...more };
  }

  /** The claims of an access token for the API, and until when it is accepted, in ms since 1970. */
  async accessClaims(token: string): Promise<Claims & { readonly untilMs: number }> {
    const claims = await this.verified(token, this.settings.audience, ACCESS_TOKEN_TYPE);
    // The rule by which jose has just accepted it: whole seconds, and the same tolerance.
    return { ...claims, untilMs: Math.ceil((claims.exp ?? 0) + CLOCK_TOLERANCE_S) * 1_000 };
  }

  /** The claims of a token that the provider has signed for this audience, and that is valid now. */
  private async verified(token: string, audience: string, type = /./): Promise<JWTPayload> {
    const { keys, issuer } = await this.discovered();
    this.refreshKeys(keys);
    const options = {
      ...{ issuer, audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE_S },
      requiredClaims: ['exp', 'iat', 'sub'],
    };
    const { payload, protectedHeader } = await answered(jwtVerify(token, keys, options));
    if (!type.test(protectedHeader.typ ?? 'JWT')) throw new Error(`a token of the type ${protectedHeader.typ}`);
    return payload;
  }

  /** What is known about the provider. Waits for it only if that is nothing yet, or too old. @throws ProviderAway */
  private async discovered(): Promise<Discovered> {
    const { found } = this;
    const ageMs = found ? performance.now() - found.atMs : Infinity;
    if (found && ageMs < DISCOVERY_MS) return found;
    this.finding ??= this.discover().finally(() => {
      this.finding = undefined;
    });
    const finding = this.finding.catch((error) => {
      throw away(error);
    });
    if (!found || ageMs >= MAX_AGE_MS) return finding;
    finding.catch(this.onStale);
    return found;
  }

  /** Reads keys again that are not new, while they serve. */
  private refreshKeys(keys: Discovered['keys']): void {
    // Keys that have not been read yet, or are too old, are read by `keys` when they are needed.
    if (!keys.fresh || keys.reloading || performance.now() - this.keysAtMs < KEYS_MS) return;
    keys.reload().then(
      () => {
        this.keysAtMs = performance.now();
      },
      (error) => this.onStale(away(error)),
    );
  }

  private async discover(): Promise<Discovered> {
    const { issuer: given, clientId, clientSecret } = this.settings;
    const isPlain = new URL(given).protocol === 'http:';
    const client = await oidc.discovery(
      new URL(given),
      clientId,
      { [oidc.clockTolerance]: CLOCK_TOLERANCE_S },
      clientSecret === '' ? oidc.None() : withSecret(clientSecret),
      { [oidc.customFetch]: this.line.read, execute: isPlain ? [oidc.allowInsecureRequests] : [] },
    );
    client[oidc.customFetch] = this.line.ask;
    const { issuer, jwks_uri: keysAt, authorization_endpoint: door } = client.serverMetadata();
    for (const [name, address] of Object.entries({ jwks_uri: keysAt, authorization_endpoint: door })) {
      // An address that is not safe could send browsers anywhere, or have keys replaced on the way.
      if (!URL.canParse(address ?? '') || !(isPlain ? /^https?:/ : /^https:/).test(address ?? '')) {
        throw new Error(`${given}: ${name} is missing in the discovery document, or does not begin with https://`);
      }
    }
    this.found = { client, issuer, keys: await this.keysFrom(keysAt ?? ''), atMs: performance.now() };
    return this.found;
  }

  private async keysFrom(address: string): Promise<Discovered['keys']> {
    // Keys that are known already are kept.
    if (this.found?.client.serverMetadata().jwks_uri === address) return this.found.keys;
    const keys = createRemoteJWKSet(new URL(address), {
      ...{ cacheMaxAge: MAX_AGE_MS, cooldownDuration: KEYS_PAUSE_MS },
      [fetchOfKeys]: this.line.read,
    });
    await keys.reload();
    this.keysAtMs = performance.now();
    return keys;
  }
}

/** Shows the secret of the client as the provider wants it: in a header [the default of OpenID Connect Discovery 1.0], or in the body. */
function withSecret(secret: string): oidc.ClientAuth {
  const [inHeader, inBody] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? inHeader : inBody)(server, ...request);
  };
}

/** What was wrong with an answer of the provider’s. @throws ProviderAway instead of errors that come of one, or of its keys */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as { readonly code?: string };
    const isOfKeys = code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JWKS_INVALID' || code === 'ERR_JOSE_GENERIC';
    throw isOfKeys || causeOf(error) ? away(error) : error;
  }
}

function away(error: unknown): ProviderAway {
  return causeOf(error) ?? new ProviderAway((error as Error).message, { cause: error });
}

function causeOf(error: unknown): ProviderAway | undefined {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof ProviderAway) return one;
  return undefined;
}

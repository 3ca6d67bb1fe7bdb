import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { Test } from 'tap';
import type { ProviderAway } from '../../../../dashboards/oidc/line.ts';
import { Provider, type ProviderSettings } from '../../../../dashboards/oidc/provider.ts';
import type { Claims } from '../../../../dashboards/oidc/rights.ts';

/** An issuer that answers whatever a test wants, as no real provider does. */
export interface Issuer {
  readonly url: string;
  /** The ID token that the token endpoint returns next. */
  idToken: string;
  /** Members of the discovery document that are different. */
  discovery: object;
  /** Answers instead of the issuer. True if it has answered. */
  instead: (path: string, response: ServerResponse) => boolean;
  /** The paths that were asked for, and the bodies of requests to the token endpoint. */
  readonly asked: string[];
  readonly bodies: URLSearchParams[];
  /** Claims that are right, apart from the nonce. */
  claims(more?: JWTPayload): JWTPayload;
  /** Signs claims with the key that the issuer publishes, or with another one. */
  sign(
    claims: object,
    header?: { readonly alg?: string; readonly kid?: string; readonly typ?: string },
  ): Promise<string>;
  /** Replaces the key. */
  rotate(kid: string): Promise<void>;
  /** The public key as PEM, which everybody knows. */
  publicKey(): Promise<string>;
  provider(settings?: Partial<ProviderSettings>, onStale?: (error: ProviderAway) => void): Provider;
  /** Completes a sign-in with the ID token that `token` makes of its nonce. */
  signIn(
    provider: Provider,
    token: (nonce: string) => Promise<string>,
    query?: (state: string) => string,
  ): Promise<Claims>;
}

export const CLIENT_ID = 'pollcast';

export async function issuer(t: Pick<Test, 'teardown'>): Promise<Issuer> {
  let keys = await generateKeyPair('RS256', { extractable: true });
  let kid = 'first';
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answers: Record<string, () => Promise<object>> = {
    '/.well-known/openid-configuration': async () => ({
      ...{
        issuer: url,
        authorization_endpoint: `${url}/auth`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/keys`,
      },
      ...{ id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'], response_types_supported: ['code'] },
      ...one.discovery,
    }),
    '/keys': async () => ({ keys: [{ ...(await exportJWK(keys.publicKey)), kid, use: 'sig' }] }),
    '/token': async () => ({ access_token: 'opaque', token_type: 'bearer', id_token: one.idToken }),
  };
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    one.asked.push(path);
    let body = '';
    for await (const part of request) body += part;
    if (request.method === 'POST') one.bodies.push(new URLSearchParams(body));
    if (one.instead(path, response)) return;
    const answer = answers[path];
    response.setHeader('content-type', 'application/json');
    response.statusCode = answer ? 200 : 404;
    response.end(JSON.stringify((await answer?.()) ?? {}));
  });
  const one: Issuer = {
    ...{ url, idToken: '', discovery: {}, instead: () => false, asked: [], bodies: [] },
    claims(more = {}) {
      const now = Math.floor(Date.now() / 1_000);
      return { iss: url, sub: 'ann', aud: CLIENT_ID, iat: now, exp: now + 300, groups: ['admins'], ...more };
    },
    sign: (claims, header = {}) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(keys.privateKey),
    async rotate(name) {
      keys = await generateKeyPair('RS256', { extractable: true });
      kid = name;
    },
    publicKey: () => exportSPKI(keys.publicKey),
    provider: (settings = {}, onStale) =>
      new Provider(
        {
          ...{ issuer: url, clientId: CLIENT_ID, clientSecret: 'secret', scopes: 'openid', roleClaim: 'groups' },
          ...{ audience: 'api', redirectUri: 'http://127.0.0.1:9/signed-in', ...settings },
        },
        onStale,
      ),
    async signIn(provider, token, query = (state) => `?code=c&state=${state}`) {
      const { pending } = await provider.begin('');
      one.idToken = await token(pending.nonce);
      return provider.complete(query(pending.state), pending);
    },
  };
  return one;
}

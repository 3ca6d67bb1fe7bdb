import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import type { Test } from 'tap';
import type { SettingName } from '../../core/config/settings.ts';
import { onOwnPorts } from './ports.ts';
import { type Stage, stage } from './stage.ts';

export const CLIENT = { oidcClientId: 'pollcast', oidcClientSecret: 'secret-of-the-client/+:' } as const;
/** The resource that stands for the API. Its access tokens are JWTs with this audience. */
export const AUDIENCE = 'urn:pollcast:api';
/** The people whom the provider knows. Their password is not asked for. */
const PEOPLE: Readonly<Record<string, object>> = {
  ann: { name: 'Ann Lee', groups: ['staff', 'poll-admins'] },
  bob: { name: 'Bob', groups: ['hall-team', 'foyer-team'] },
  dora: { name: 'Dora', groups: ['staff'] },
  eve: { name: 'root\u202e\n', groups: 'auditors' },
};

/** A real identity provider (oidc-provider) on a loopback port. */
export interface Identity {
  readonly issuer: string;
  /** Goes to an address of the provider as a browser does, signs in there, and resolves with the address to which it is sent back. */
  visit(address: string, login: string): Promise<URL>;
  /** An access token of a program for the API. */
  accessToken(resource?: string): Promise<string>;
  /** Stops answering, or answers again. */
  stop(): Promise<void>;
  resume(): Promise<void>;
}

/** @param claimsIn where the provider puts the groups of a person */
export async function identity(
  t: Pick<Test, 'teardown'>,
  redirectUris: readonly string[],
  claimsIn: 'id-token' | 'userinfo' = 'userinfo',
): Promise<Identity> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'first' };
  const [server, port] = await onOwnPorts(1, async (port) => [await listening(port), port] as const);
  // Another site than Pollcast’s, so that the cookie has to do with SameSite=Strict.
  const issuer = `http://localhost:${port}`;
  const provider: Provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.oidcClientId,
        client_secret: CLIENT.oidcClientSecret,
        redirect_uris: redirectUris,
        grant_types: ['authorization_code', 'client_credentials'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ['key of the cookies of tests'] },
    claims: { openid: ['sub'], profile: ['name'], groups: ['groups'] },
    conformIdTokenClaims: claimsIn === 'userinfo',
    pkce: { required: () => true },
    extraTokenClaims: () => ({ groups: ['auditors'] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx: object, resource: string) => ({
          ...{ scope: '', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600 },
        }),
      },
    },
    interactions: { url: (_ctx: object, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_ctx: object, sub: string) => ({ accountId: sub, claims: () => ({ sub, ...PEOPLE[sub] }) }),
    // Nobody is asked for consent.
    loadExistingGrant: async ({ oidc }: { oidc: { client: { clientId: string }; session: { accountId: string } } }) => {
      const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope('openid profile groups');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  let isDown = false;
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    if (isDown) return request.socket.destroy();
    if (request.url === '/favicon.ico') return response.writeHead(204).end();
    if (!request.url?.startsWith('/interaction/')) return answer(request, response);
    if (request.method !== 'POST') {
      response.setHeader('content-type', 'text/html');
      return response.end(
        '<!doctype html><title>Provider</title><form method="post"><input name="login"><button>Go</button></form>',
      );
    }
    let body = '';
    for await (const part of request) body += part;
    const accountId = new URLSearchParams(body).get('login') ?? '';
    const result = accountId === 'nobody' ? { error: 'access_denied' } : { login: { accountId } };
    return provider.interactionFinished(request, response, result);
  });
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    issuer,
    visit: (address, login) => visit(issuer, address, login),
    async accessToken(resource = AUDIENCE) {
      const { oidcClientId, oidcClientSecret } = CLIENT;
      const credentials = [oidcClientId, oidcClientSecret].map(encodeURIComponent).join(':');
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
      });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`the provider answered ${response.status}`);
      return token;
    },
    stop: async () => {
      isDown = true;
      server.closeAllConnections();
    },
    resume: async () => {
      isDown = false;
    },
  };
}

async function listening(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function visit(issuer: string, address: string, login: string): Promise<URL> {
  const jar = new Map<string, string>();
  let next = address;
  let body: URLSearchParams | null = null;
  for (let steps = 0; steps < 10; steps++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response: Response = await fetch(next, {
      method: body ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie },
      body,
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null && response.status !== 200) throw new Error(`${next}: ${await response.text()}`);
    body = location === null ? new URLSearchParams({ login }) : null;
    next = new URL(location ?? next, next).href;
    if (!next.startsWith(issuer)) return new URL(next);
  }
  throw new Error('the provider sends a browser in circles');
}

/** Settings for signing in at a provider. @param publicUrl the address of Pollcast */
export function signInSettings(issuer: string, publicUrl: string): Partial<Record<SettingName, string>> {
  return {
    ...CLIENT,
    oidcIssuer: issuer,
    oidcName: 'Example ID',
    oidcScopes: 'openid profile groups',
    oidcRoles: 'poll-admins=admin; hall-team=operator@hall; foyer-team=operator@foyer; auditors=auditor',
    publicUrl,
  };
}

/** A stage with a real identity provider. */
export interface EntryStage extends Stage {
  readonly provider: Identity;
  /** Begins a sign-in, as our page does. */
  begin(returnTo?: string): Promise<{ readonly address: string; readonly cookie: string; readonly setCookie: string }>;
  /** Completes a sign-in, as our page does. */
  complete(query: string, cookie: string): Promise<Entered>;
  /** Begins a sign-in, signs in at the provider, and completes it. */
  enter(login: string, returnTo?: string): Promise<Entered>;
  /** Sends a request with a token. */
  as(token: string, method: string, path: string): Promise<Entered>;
}

export interface Entered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  readonly body: any;
}

export async function entryStage(
  t: Test,
  settings: Partial<Record<SettingName, string>> = {},
  claimsIn?: 'id-token' | 'userinfo',
): Promise<EntryStage> {
  return onOwnPorts(1, async (port) => {
    const address = `http://127.0.0.1:${port}`;
    const provider = await identity(t, [`${address}/signed-in`], claimsIn);
    const s = await stage(t, { httpPort: String(port), ...signInSettings(provider.issuer, address), ...settings });
    return { ...s, provider, ...entrance(s.http, provider) };
  });
}

/** What our page does when somebody signs in. @param origin the public address, if it is another one */
export function entrance(
  http: string,
  provider: Identity,
  origin = http,
): Pick<EntryStage, 'begin' | 'complete' | 'enter' | 'as'> {
  const post = async (path: string, body: object, cookie = '') => {
    const headers = { 'content-type': 'application/json', origin, cookie };
    return fetch(http + path, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  const complete = async (query: string, cookie: string) => {
    const response = await post('/api/sign-in/complete', { query }, cookie);
    return { status: response.status, body: await response.json() };
  };
  const begin = async (returnTo = '') => {
    const response = await post('/api/sign-in', { returnTo });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const setCookie = response.headers.get('set-cookie') ?? '';
    const { address } = (await response.json()) as { address: string };
    return { address, cookie: setCookie.split(';')[0] ?? '', setCookie };
  };
  return {
    begin,
    complete,
    async enter(login, returnTo) {
      const { address, cookie } = await begin(returnTo);
      return complete((await provider.visit(address, login)).search, cookie);
    },
    async as(token, method, path) {
      const response = await fetch(http + path, { method, headers: { authorization: `Bearer ${token}` } });
      const text = await response.text();
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
    },
  };
}

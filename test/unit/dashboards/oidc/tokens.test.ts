import type { ServerResponse } from 'node:http';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import t, { type Test } from 'tap';
import { ProviderAway } from '../../../../dashboards/oidc/line.ts';
import { eventually } from '../../../support/eventually.ts';
import { CLIENT_ID, type Issuer, issuer } from './issuer.ts';

/** Checks that something is refused, and not because the provider is away. */
async function refused(t: Test, work: Promise<unknown>, name: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.ok(error instanceof Error && !(error instanceof ProviderAway), `${name}: ${error}`);
}

/** A key that the issuer does not publish. */
const strange = generateKeyPair('RS256');

/** Tokens that only look like those of the issuer. @param audience whom they should be for */
async function forgeries(one: Issuer, audience: string, more: object): Promise<[name: string, token: string][]> {
  const now = Math.floor(Date.now() / 1_000);
  const right = one.claims({ aud: audience, ...more });
  const without = (name: string) => Object.fromEntries(Object.entries(right).filter(([key]) => key !== name));
  const byStranger = async (header: object) =>
    new SignJWT(right).setProtectedHeader({ alg: 'RS256', ...header }).sign((await strange).privateKey);
  const hmac = (secret: string) =>
    new SignJWT(right).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(Buffer.from(secret));
  const good = await one.sign(right);
  const [head = '', body = '', signature = ''] = good.split('.');
  const other = Buffer.from(JSON.stringify({ ...right, sub: 'root' })).toString('base64url');
  const none = (alg: string) => Buffer.from(JSON.stringify({ alg, kid: 'first' })).toString('base64url');
  return [
    ['wrong issuer', await one.sign({ ...right, iss: 'https://evil.example' })],
    ['issuer with a slash', await one.sign({ ...right, iss: `${one.url}/` })],
    ['no issuer', await one.sign(without('iss'))],
    ['wrong audience', await one.sign({ ...right, aud: 'another' })],
    ['audiences without ours', await one.sign({ ...right, aud: ['another', 'third'] })],
    ['no audience', await one.sign(without('aud'))],
    ['expired', await one.sign({ ...right, exp: now - 31 })],
    ['no expiry', await one.sign(without('exp'))],
    ['expiry as text', await one.sign({ ...right, exp: String(now + 300) })],
    ['not valid yet', await one.sign({ ...right, nbf: now + 120 })],
    ['no subject', await one.sign(without('sub'))],
    ['no time of issue', await one.sign(without('iat'))],
    ['alg none', new UnsecuredJWT(right).encode()],
    ['alg none with the old signature', `${none('none')}.${body}.${signature}`],
    ['alg None', `${none('None')}.${body}.`],
    ['another key under the same id', await byStranger({ kid: 'first' })],
    ['another key under an unknown id', await byStranger({ kid: 'unknown' })],
    ['another key without an id', await byStranger({})],
    ['a key of its own in the header', await byStranger({ jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } })],
    ['HMAC with the public key', await hmac(await one.publicKey())],
    ['HMAC with the client secret', await hmac('secret')],
    ['other claims under the signature', `${head}.${other}.${signature}`],
    ['no signature', `${head}.${body}.`],
    ['half a token', `${head}.${body}`],
    ['no token', ''],
  ];
}

t.test('an ID token must be signed by the issuer, for this client, and be valid now', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  const right = await one.signIn(provider, (nonce) => one.sign(one.claims({ nonce })));
  t.match(right, { sub: 'ann', groups: ['admins'] });
  const names = (await forgeries(one, CLIENT_ID, {})).map(([name]) => name);
  t.ok(names.length > 20);
  for (const [i, name] of names.entries()) {
    const token = async (nonce: string) => (await forgeries(one, CLIENT_ID, { nonce }))[i]?.[1] ?? '';
    await refused(t, one.signIn(provider, token), name);
  }
  const within = async (nonce: string) => one.sign(one.claims({ nonce, exp: Math.floor(Date.now() / 1_000) - 5 }));
  t.match(await one.signIn(provider, within), { sub: 'ann' }, 'clocks may differ a little');
});

t.test('an ID token belongs to one sign-in, and an answer to one state', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  const right = (nonce: string) => one.sign(one.claims({ nonce }));
  for (const [name, token] of [
    ['another nonce', () => one.sign(one.claims({ nonce: 'of-another-sign-in' }))],
    ['no nonce', () => one.sign(one.claims())],
    ['an empty nonce', () => one.sign(one.claims({ nonce: '' }))],
    [
      'another client as the one who asked',
      (nonce) => one.sign(one.claims({ nonce, aud: [CLIENT_ID, 'b'], azp: 'b' })),
    ],
  ] as [string, (nonce: string) => Promise<string>][]) {
    await refused(t, one.signIn(provider, token), name);
  }
  for (const [name, query] of [
    ['another state', () => '?code=c&state=other'],
    ['no state', () => '?code=c'],
    ['two states', (state) => `?code=c&state=${state}&state=other`],
    ['no code', (state) => `?state=${state}`],
    ['an error', (state) => `?error=access_denied&state=${state}`],
    ['another issuer', (state) => `?code=c&state=${state}&iss=https://evil.example`],
  ] as [string, (state: string) => string][]) {
    await refused(t, one.signIn(provider, right, query), name);
  }
});

t.test(
  'the code is exchanged with the verifier of the challenge, and the state and nonce are new each time',
  async (t) => {
    const one = await issuer(t);
    const provider = one.provider();
    const begun = [await provider.begin('#/polls/q'), await provider.begin('')];
    const queries = begun.map(({ address }) => new URL(address).searchParams);
    for (const name of ['state', 'nonce', 'code_challenge'])
      t.not(queries[0]?.get(name), queries[1]?.get(name), `a new ${name}`);
    t.match(Object.fromEntries(queries[0] ?? []), {
      ...{ response_type: 'code', code_challenge_method: 'S256', client_id: CLIENT_ID },
      ...{ scope: 'openid', redirect_uri: 'http://127.0.0.1:9/signed-in' },
    });
    const { pending } = begun[0] ?? (await provider.begin(''));
    t.notMatch(begun[0]?.address, pending.verifier);
    one.idToken = await one.sign(one.claims({ nonce: pending.nonce }));
    await provider.complete(`?code=the-code&state=${pending.state}`, pending);
    t.match(Object.fromEntries(one.bodies.at(-1) ?? []), {
      ...{ code: 'the-code', code_verifier: pending.verifier, redirect_uri: 'http://127.0.0.1:9/signed-in' },
    });
  },
);

t.test('access tokens are for the API alone: neither ID tokens nor forgeries pass for one', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  for (const typ of ['at+jwt', 'application/at+jwt', 'JWT', undefined]) {
    const token = await one.sign(one.claims({ aud: 'api' }), typ === undefined ? {} : { typ });
    t.match(await provider.accessClaims(token), { sub: 'ann' }, typ ?? 'without a type');
  }
  await refused(t, provider.accessClaims(await one.sign(one.claims())), 'an ID token');
  for (const typ of ['logout+jwt', 'dpop+jwt', 'at+jwt+x'])
    await refused(t, provider.accessClaims(await one.sign(one.claims({ aud: 'api' }), { typ })), typ);
  for (const [name, token] of await forgeries(one, 'api', {})) await refused(t, provider.accessClaims(token), name);
});

t.test('an unknown key is looked for once, and then not for a while', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  const reads = () => one.asked.filter((path) => path === '/keys').length;
  const accepted = async () => {
    const token = await one.sign(one.claims({ aud: 'api' }));
    return provider.accessClaims(token).then(
      () => true,
      () => false,
    );
  };
  t.equal(await accepted(), true);
  t.equal(reads(), 1);
  await one.rotate('second');
  for (let i = 0; i < 5; i++) t.equal(await accepted(), false);
  t.equal(reads(), 1, 'keys that were just read are not read again');
  const { now } = Date;
  t.teardown(() => Object.assign(Date, { now }));
  Object.assign(Date, { now: () => now() + 31_000 });
  t.equal(await accepted(), true, 'the new key was found');
  t.equal(reads(), 2);
  await one.rotate('third');
  for (let i = 0; i < 5; i++) t.equal(await accepted(), false);
  t.equal(reads(), 2);
});

t.test('a provider that does not answer as one is away, and is left alone for a moment', async (t) => {
  const one = await issuer(t);
  for (const [name, instead] of [
    ['an error', (response) => response.writeHead(500).end('{}')],
    ['a page', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['no JSON', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{')],
    ['a redirect', (response) => response.writeHead(302, { location: `${one.url}/other` }).end()],
    ['nothing', (response) => response.destroy()],
    [
      'too much',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(' '.repeat(600_000)),
    ],
  ] as [string, (response: ServerResponse) => unknown][]) {
    one.instead = (_path, response) => {
      instead(response);
      return true;
    };
    await t.rejects(one.provider().begin(''), ProviderAway, name);
  }
  const provider = one.provider();
  const before = one.asked.length;
  one.instead = (_path, response) => {
    response.destroy();
    return true;
  };
  for (let i = 0; i < 5; i++) await t.rejects(provider.begin(''), ProviderAway);
  t.equal(one.asked.length, before + 1);
  one.instead = () => false;
  for (const discovery of [
    { issuer: 'https://evil.example' },
    { jwks_uri: undefined },
    { authorization_endpoint: 'javascript:alert(1)' },
    { authorization_endpoint: undefined },
    { jwks_uri: 'file:///etc/passwd' },
  ]) {
    one.discovery = discovery;
    await t.rejects(one.provider().begin(''), ProviderAway, JSON.stringify(discovery));
  }
});

const { now: wallClock } = Date;
const { now: steadyClock } = performance;

/** Sets both clocks to what they will show after this time, until the test ends. */
function inFuture(t: Test, ms: number): void {
  t.teardown(() => {
    Date.now = wallClock;
    performance.now = steadyClock;
  });
  Date.now = () => wallClock() + ms;
  performance.now = () => steadyClock.call(performance) + ms;
}

const HOUR_MS = 3_600_000;

t.test('once it is known, nothing waits for a provider that hangs', async (t) => {
  const one = await issuer(t);
  const problems: ProviderAway[] = [];
  const provider = one.provider({}, (error) => problems.push(error));
  await provider.begin('');
  inFuture(t, 2 * HOUR_MS);
  const held: ServerResponse[] = [];
  one.instead = (path, response) => {
    if (path !== '/token') held.push(response);
    return path !== '/token';
  };
  const token = await one.sign(one.claims({ aud: 'api' }));
  t.match((await provider.begin('')).address, one.url);
  t.match(await provider.accessClaims(token), { sub: 'ann' });
  t.match(await one.signIn(provider, (nonce) => one.sign(one.claims({ nonce }))), { sub: 'ann' });
  await eventually('questions', async () => held[1]);
  t.equal(held.length, 2, 'it was asked once for each document');
  t.notOk(
    held.some(({ destroyed }) => destroyed),
    'it is still being asked',
  );
  for (const response of held) response.destroy();
  await eventually('the warnings', async () => problems[1]);
  one.instead = () => false;
});

t.test('what is known of a provider serves for a day, and is replaced as soon as it can be read again', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  const token = () => one.sign(one.claims({ aud: 'api' }));
  await provider.begin('');
  one.instead = (_path, response) => {
    response.destroy();
    return true;
  };
  inFuture(t, 23 * HOUR_MS);
  t.match((await provider.begin('')).address, one.url);
  t.match(await provider.accessClaims(await token()), { sub: 'ann' });
  inFuture(t, 25 * HOUR_MS);
  await t.rejects(provider.begin(''), ProviderAway);
  await t.rejects(provider.accessClaims(await token()), ProviderAway);
  one.instead = () => false;
  inFuture(t, 26 * HOUR_MS);
  one.discovery = { authorization_endpoint: `${one.url}/new` };
  t.match((await provider.begin('')).address, `${one.url}/new`);
  one.discovery = { authorization_endpoint: `${one.url}/newer` };
  inFuture(t, 28 * HOUR_MS);
  await eventually('the new document', async () => {
    return (await provider.begin('')).address.startsWith(`${one.url}/newer`) || undefined;
  });
});

t.test('a sign-in that the token endpoint did not answer holds up no other', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  let failures = 1;
  one.instead = (path, response) => {
    if (path !== '/token' || failures-- <= 0) return false;
    response.writeHead(503).end();
    return true;
  };
  const signIn = () => one.signIn(provider, (nonce) => one.sign(one.claims({ nonce })));
  await t.rejects(signIn(), ProviderAway);
  t.match(await signIn(), { sub: 'ann' });
});

t.test('an access token may be used exactly as long as it is accepted', async (t) => {
  const one = await issuer(t);
  const provider = one.provider();
  const now = Math.floor(Date.now() / 1_000);
  for (const exp of [now + 300, now + 0.5, now - 10, now - 20.5]) {
    const { untilMs } = await provider.accessClaims(await one.sign(one.claims({ aud: 'api', exp })));
    t.ok(untilMs > Date.now(), `a token until ${exp - now} s from now`);
    t.ok(untilMs >= (exp + 30) * 1_000 && untilMs < (exp + 31) * 1_000);
  }
  const over = await one.sign(one.claims({ aud: 'api', exp: now - 31, untilMs: Date.now() + 1_000_000 }));
  await refused(t, provider.accessClaims(over), 'expired');
});

import t from 'tap';
import { ConfigError, readConfig } from '../../../../core/config/config.ts';
import { nameOf } from '../../../../core/operators/operator.ts';
import { rightsOf } from '../../../../core/operators/rights.ts';
import { claimAt, personOf } from '../../../../dashboards/oidc/rights.ts';

const GOOD = {
  POLLCAST_PUBLIC_URL: 'https://votes.example.org',
  POLLCAST_OIDC_ISSUER: 'https://id.example.org',
  POLLCAST_OIDC_CLIENT_ID: 'pollcast',
  POLLCAST_OIDC_ROLES: 'poll-admins=admin',
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig({}, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const mappingOf = (text: string) => readConfig({}, { ...GOOD, POLLCAST_OIDC_ROLES: text }).oidcRoles;

t.test('settings of a provider that are wrong or do not go together are named', async (t) => {
  t.same(problemsOf(GOOD), []);
  for (const [name, value] of [
    ['ISSUER', 'http://id.example.org'],
    ['ISSUER', 'id.example.org'],
    ['ISSUER', 'https://id.example.org/?x=1'],
    ['ISSUER', 'https://user:geheim@id.example.org'],
    ['ISSUER', 'https://id.example.org/.well-known/openid-configuration'],
    ['ISSUER', 'http://127.0.0.1.example.org'],
    ['CLIENT_ID', ''],
    ['ROLES', ''],
    ['ROLES', 'poll-admins'],
    ['ROLES', 'poll-admins=king'],
    ['ROLES', 'poll-admins=admin@hall'],
    ['ROLES', 'team=operator@'],
    ['ROLES', 'team=operator@hall, big hall'],
    ['ROLES', '=admin'],
    ['ROLES', 'a=admin; b'],
    ['SCOPES', 'profile'],
    ['SCOPES', 'openid "x"'],
    ['ROLE_CLAIM', ''],
    ['SESSION_HOURS', '0'],
    ['SESSION_HOURS', '169'],
    ['AUDIENCE', 'pollcast'],
  ] as const) {
    const problems = problemsOf({ ...GOOD, [`POLLCAST_OIDC_${name}`]: value });
    t.equal(problems.length, 1, `${name}=${value}`);
    t.match(problems[0], `POLLCAST_OIDC_${name}: `);
    t.notMatch(problems.join(), /geheim/);
  }
  t.match(problemsOf({ ...GOOD, POLLCAST_PUBLIC_URL: '' }), [/^POLLCAST_PUBLIC_URL: required/]);
  const both = { POLLCAST_OIDC_CLIENT_SECRET: 'x', POLLCAST_OIDC_CLIENT_SECRET_FILE: '/y' };
  t.match(problemsOf({ ...GOOD, ...both }), [/^POLLCAST_OIDC_CLIENT_SECRET: /]);
  for (const [name, value] of [
    ['CLIENT_ID', 'x'],
    ['CLIENT_SECRET', 'x'],
    ['CLIENT_SECRET_FILE', 'x'],
    ['AUDIENCE', 'x'],
    ['ROLES', 'x=admin'],
  ] as const) {
    const problems = problemsOf({ [`POLLCAST_OIDC_${name}`]: value });
    t.match(problems, [new RegExp(`^POLLCAST_OIDC_${name}: only works with POLLCAST_OIDC_ISSUER`)]);
  }
  for (const issuer of [
    'http://127.0.0.1:8080/realms/x',
    'http://[::1]:8080',
    'http://localhost',
    'https://id.example.org/a/',
  ])
    t.same(problemsOf({ ...GOOD, POLLCAST_OIDC_ISSUER: issuer }), [], issuer);
});

t.test('a mapping may have values as directories write them', async (t) => {
  t.same(mappingOf('cn=admins,ou=groups,dc=example=admin; a@b.org=operator@hall,foyer ;Team 7=viewer;'), [
    { claimed: 'cn=admins,ou=groups,dc=example', role: 'admin', rooms: undefined },
    { claimed: 'a@b.org', role: 'operator', rooms: ['hall', 'foyer'] },
    { claimed: 'Team 7', role: 'viewer', rooms: undefined },
  ]);
});

t.test('roles come from the mapping alone, and nobody has one by default', async (t) => {
  const mapping = mappingOf(
    'hall=operator@hall; foyer=operator@foyer; everywhere=operator; boss=admin; look=viewer@hall',
  );
  for (const [claimed, rights] of [
    [['boss'], { role: 'admin' }],
    ['boss', { role: 'admin' }],
    [['x', 'hall'], { role: 'operator', rooms: ['hall'] }],
    [['foyer', 'hall'], { role: 'operator', rooms: ['hall', 'foyer'] }],
    [['everywhere', 'hall'], { role: 'operator' }],
    [['boss', 'hall'], { role: 'operator', rooms: ['hall'] }],
    [['look'], { role: 'viewer', rooms: ['hall'] }],
    [[], undefined],
    [undefined, undefined],
    [null, undefined],
    [['Boss'], undefined],
    [['admin'], undefined],
    ['boss hall', undefined],
    ['boss,hall', undefined],
    [[['boss']], undefined],
    [{ boss: true }, undefined],
    [{ 0: 'boss', length: 1 }, undefined],
    [[{ toString: () => 'boss' }], undefined],
    [true, undefined],
    [7, undefined],
  ] as const) {
    t.same(rightsOf(claimed, mapping), rights, JSON.stringify(claimed));
  }
});

t.test('a claim is found by its name, or at the end of a path', async (t) => {
  const claims = { groups: ['a'], 'https://x.org/roles': ['b'], realm_access: { roles: ['c'] }, 'a.b': 1, a: { b: 2 } };
  t.same(claimAt(claims, 'groups'), ['a']);
  t.same(claimAt(claims, 'https://x.org/roles'), ['b']);
  t.same(claimAt(claims, 'realm_access.roles'), ['c']);
  t.equal(claimAt(claims, 'a.b'), 1);
  for (const name of [
    'constructor',
    'groups.length',
    'groups.constructor.name',
    '__proto__.x',
    'realm_access.x.y',
    '.',
  ]) {
    const found = claimAt(claims, name);
    t.ok(found === undefined || typeof found === 'number', name);
  }
});

t.test('the name of a person cannot pass for somebody else in records', async (t) => {
  const of = (claims: object) => personOf('https://id.example.org', { ...claims });
  const name = (claims: object) => {
    const person = of(claims);
    return person && nameOf(person);
  };
  t.equal(name({ sub: 'u1', name: 'Ann Lee' }), 'oidc:u1 (Ann Lee)');
  t.equal(name({ sub: 'u1', preferred_username: 'ann', email: 'a@b' }), 'oidc:u1 (ann)');
  t.equal(name({ sub: 'u1' }), 'oidc:u1');
  t.equal(name({ sub: 'root', name: 'root' }), 'oidc:root (root)');
  t.equal(name({ sub: 'u1', name: 'A\u202e\u0000\nB\u2028C' }), 'oidc:u1 (A B C)');
  t.equal(name({ sub: 'u1', name: 7 }), 'oidc:u1');
  t.equal(name({ sub: 'u1', name: '😀'.repeat(100) })?.length, 'oidc:u1 ()'.length + 128);
  for (const sub of ['', ' ', 'a b', 'ü', 'a\n', 'x'.repeat(256), 7, null, undefined]) t.equal(of({ sub }), undefined);
});

import t from 'tap';
import type { GrantedRole, Operator, Role } from '../../../core/operators/operator.ts';
import { asNow, MAX_SESSIONS, MAX_SESSIONS_OF_ONE, makePlace } from '../../../core/operators/sessions.ts';

const HOUR_MS = 3_600_000;
const RULES = {
  ...{ issuer: 'https://id.example.org', clientId: 'pollcast', roleClaim: 'groups', sessionHours: 12 },
  roles: [
    { claimed: 'admins', role: 'admin' },
    { claimed: 'hall', role: 'operator', rooms: ['hall'] },
  ] as readonly GrantedRole[],
};

function session(values: readonly string[], more: Partial<Operator> = {}): Operator {
  return {
    ...{ operator: 'oidc-1', role: 'admin', salt: '', hash: '', createdAtMs: 0, createdBy: RULES.issuer },
    ...{ expiresAtMs: 12 * HOUR_MS, person: { issuer: RULES.issuer, subject: 'ann', name: 'Ann' } },
    claimed: { clientId: 'pollcast', claim: 'groups', values },
    ...more,
  };
}

t.test('a session has the role that the present mapping gives, and ends if it gives none', async (t) => {
  const kept = session(['staff', 'admins', 'hall']);
  const roles = (...given: readonly GrantedRole[]) => asNow(kept, { ...RULES, roles: given }, HOUR_MS);
  t.match(asNow(kept, RULES, HOUR_MS), { role: 'admin', rooms: undefined });
  t.match(roles({ claimed: 'hall', role: 'operator', rooms: ['hall'] }), { role: 'operator', rooms: ['hall'] });
  t.match(roles({ claimed: 'hall', role: 'viewer' }, { claimed: 'admins', role: 'admin' }), { role: 'viewer' });
  t.match(roles({ claimed: 'admins', role: 'operator', rooms: ['foyer'] }), { role: 'operator', rooms: ['foyer'] });
  t.equal(roles({ claimed: 'others', role: 'admin' }), undefined);
  t.equal(roles(), undefined);
});

t.test('a session ends with its issuer, client and claim, and lasts no longer than sessions may now', async (t) => {
  const kept = session(['admins']);
  t.equal(asNow(kept, undefined, HOUR_MS), undefined);
  t.equal(asNow(kept, { ...RULES, issuer: 'https://other.example.org' }, HOUR_MS), undefined);
  t.equal(asNow(kept, { ...RULES, clientId: 'other' }, HOUR_MS), undefined);
  t.equal(asNow(kept, { ...RULES, roleClaim: 'roles' }, HOUR_MS), undefined);
  t.equal(asNow(session(['admins'], { claimed: undefined }), RULES, HOUR_MS), undefined);
  t.equal(asNow(kept, RULES, HOUR_MS)?.expiresAtMs, 12 * HOUR_MS);
  t.equal(asNow(kept, { ...RULES, sessionHours: 2 }, HOUR_MS)?.expiresAtMs, 2 * HOUR_MS);
  t.equal(asNow(kept, { ...RULES, sessionHours: 2 }, 2 * HOUR_MS), undefined);
  t.equal(asNow(kept, { ...RULES, sessionHours: 24 }, HOUR_MS)?.expiresAtMs, 12 * HOUR_MS, 'it is not prolonged');
  const named = session([], { person: undefined, claimed: undefined, expiresAtMs: undefined });
  t.same(asNow(named, undefined, HOUR_MS), named, 'named operators do not depend on it');
});

t.test('when sessions are full, the oldest of the lowest role ends, and none of a higher one', async (t) => {
  const full = (role: (i: number) => Role) =>
    Array.from({ length: MAX_SESSIONS }, (_, i) =>
      session([], {
        ...{ operator: `oidc-${i}`, role: role(i), createdAtMs: (i * 7) % MAX_SESSIONS },
        person: { issuer: RULES.issuer, subject: `s${i}`, name: '' },
      }),
    );
  const ended = (valid: readonly Operator[], role: Role, subject = 'new') => {
    const place = makePlace(valid, { subject, role });
    return place && [...place.own, ...place.others].map(({ operator, createdAtMs }) => `${operator} ${createdAtMs}`);
  };
  const mixed = full((i) => (i % 2 === 0 ? 'viewer' : i % 3 === 0 ? 'auditor' : 'operator'));
  t.same(ended(mixed, 'admin'), ['oidc-0 0']);
  t.same(ended(mixed, 'viewer'), ['oidc-0 0']);
  t.same(ended(mixed.slice(1), 'viewer'), []);
  const high = full((i) => (i === 5 ? 'operator' : 'admin'));
  t.same(ended(high, 'admin'), ['oidc-5 35']);
  t.same(ended(high, 'operator'), ['oidc-5 35']);
  for (const role of ['presenter', 'auditor', 'viewer'] as const) t.equal(ended(high, role), undefined, role);
  t.same(
    ended(
      full(() => 'admin'),
      'admin',
    ),
    ['oidc-0 0'],
    'an admin gets in',
  );
  const own = Array.from({ length: MAX_SESSIONS_OF_ONE }, (_, i) =>
    session([], { operator: `own-${i}`, createdAtMs: 100 - i }),
  );
  t.same(ended(own, 'viewer', 'ann'), ['own-9 91'], 'one person has ten');
  const both = [...own, ...mixed.slice(own.length)];
  t.same(ended(both, 'viewer', 'ann'), ['own-9 91'], 'whose own session makes the place');
});

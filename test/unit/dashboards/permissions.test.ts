import fastify from 'fastify';
import t from 'tap';
import { ROLES } from '../../../core/operators/operator.ts';
import { Allowance } from '../../../dashboards/api/permissions/allowance.ts';
import { demandPermissions } from '../../../dashboards/api/permissions/permissions.ts';
import { mayDo, PERMISSIONS } from '../../../dashboards/api/permissions/table.ts';

t.test('a route of the API without a row in the table cannot be added', async (t) => {
  const app = fastify();
  // Nothing of it is asked while routes are added.
  demandPermissions(app, Object.create(null));
  app.get('/elsewhere', async () => 'anything');
  app.get('/api/polls', async () => 'known');
  t.throws(() => app.get('/api/new', async () => 'new'), /GET \/api\/new: add a row/);
  t.throws(() => app.delete('/api/polls', async () => 'new'), /DELETE \/api\/polls: add a row/);
});

t.test('admins may do everything, and strangers only what anyone may do', async (t) => {
  for (const [route, rule] of Object.entries(PERMISSIONS)) {
    t.ok(mayDo(rule, 'admin'), route);
    t.equal(mayDo(rule, undefined), rule.roles === 'anyone', route);
    for (const role of ROLES) if (rule.roles === 'anyone') t.ok(mayDo(rule, role), `${role}: ${route}`);
  }
});

t.test('an allowance counts what it leaves out', async (t) => {
  const allowance = new Allowance();
  t.same(
    [1, 2, 3, 4].map((ms) => allowance.take('a', 2, ms)),
    [0, 0, undefined, undefined],
  );
  t.equal(allowance.take('b', 2, 5), 0);
  t.equal(allowance.take('a', 2, 60_002), 2);
  t.equal(allowance.take('a', 2, 60_003), 0);
  const daily = new Allowance(3);
  t.same(
    [0, 1, 60_000, 120_000, 86_400_000].map((ms) => daily.take('a', 2, ms)),
    [0, 0, 0, undefined, 1],
  );
});

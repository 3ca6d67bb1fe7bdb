/** Requests for many devices. */
import t from 'tap';
import type { AuditRecord } from '../../../core/audit/trail/fact.ts';
import { StoreAway } from '../../../core/store/error.ts';
import type { Registry } from '../../../core/store/store.ts';
import { type Stage, stage } from '../../support/stage.ts';

/** Lets the registry fail at writes to devices, from the time after `after` of them, for `times`. */
function failing(
  t: { teardown(f: () => void): void },
  registry: Registry,
  method: 'put' | 'remove',
  after: number,
  times: number,
) {
  const { [method]: real } = registry;
  let written = 0;
  const fails = (collection: string) => {
    if (collection !== 'devices') return false;
    written++;
    return written > after && written <= after + times;
  };
  const restore = () => void Object.assign(registry, { [method]: real });
  t.teardown(restore);
  Object.assign(registry, {
    [method]: async (...args: Parameters<typeof real>) => {
      if (fails(args[0])) throw new StoreAway('it is away');
      return (real as (...args: unknown[]) => unknown).apply(registry, args);
    },
  });
  return restore;
}

const versionsOf = async (s: Stage, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await s.pollcast.store.registry.get('devices', id))?.version));

t.test('if the store fails, a request for many devices stops, returns what it made, and records it', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const ids = Array.from({ length: 120 }, (_, i) => `d${i}`);
  await s.call('POST', '/api/devices/import', { operator: true, body: { devices: ids.map((device) => ({ device })) } });
  const post = (path: string, devices = ids) => s.call('POST', path, { operator: true, body: { devices } });
  const last = async () =>
    (await s.call('GET', '/api/audit-trail?limit=1', { operator: true })).body.records[0] as AuditRecord;
  for (const [path, made] of [
    ['/api/devices/secrets', 'secrets'],
    ['/api/devices/claims', 'claims'],
  ] as const) {
    const before = await versionsOf(s, ids);
    const restore = failing(t, s.pollcast.store.registry, 'put', 60, 1);
    const { status, body } = await post(path);
    restore();
    t.equal(status, 201, path);
    const shown = body[made].map(({ device }: { device: string }) => device);
    t.ok(shown.length >= 60 && shown.length <= 62, `${shown.length} were made`);
    const after = await versionsOf(s, ids);
    t.same(
      ids.filter((_, i) => before[i] !== after[i]),
      shown,
      'only devices whose secrets are shown were changed',
    );
    const refused = body.refused.map(({ code }: { code: string }) => code).sort();
    t.same(refused, [...Array.from({ length: 119 - shown.length }, () => 'not-begun'), 'unknown']);
    const record = await last();
    const uncertain = body.refused.filter(({ code }: { code: string }) => code === 'unknown');
    t.same(
      record.devices?.toSorted(),
      [...shown, uncertain[0].device].toSorted(),
      'the trail names all of them, and the one that may have been changed',
    );
    t.match(JSON.parse(record.after ?? ''), { unknown: 1, notBegun: 119 - shown.length });
    t.equal(record.outcome, 'done');

    const none = failing(t, s.pollcast.store.registry, 'put', 0, 1_000);
    t.match(await post(path), { status: 503, body: { type: 'urn:pollcast:store-away' } });
    none();
    t.match(await last(), { outcome: 'unknown', code: 'store-away' });
    t.same((await last()).devices, ids);
  }
  const restore = failing(t, s.pollcast.store.registry, 'remove', 90, 1);
  const { status, body } = await post('/api/devices/revoke');
  restore();
  t.equal(status, 200);
  t.same([body.revoked.length, body.refused.length], [119, 1]);
  t.match(body.refused[0], { code: 'unknown' });
  const record = await last();
  t.equal(JSON.parse(record.before ?? '').revoked, 119);
  t.same(record.devices, [...body.revoked, body.refused[0].device]);
  await s.call('POST', '/api/devices/import', { operator: true, body: { devices: ids.map((device) => ({ device })) } });
  const first = failing(t, s.pollcast.store.registry, 'remove', 10, 1);
  const half = (await post('/api/devices/revoke')).body;
  first();
  t.same([half.revoked.length, half.refused.length], [63, 57], 'those of the next batch are not begun');
});

t.test('the trail names the devices that were imported', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const post = (query: string, label: string) =>
    s.call('POST', `/api/devices/import${query}`, {
      operator: true,
      body: { devices: [{ device: 'a' }, { device: 'b', label }] },
    });
  await post('', 'x');
  await post('?dryRun=true', 'y');
  await post('', 'y');
  const { records } = (await s.call('GET', '/api/audit-trail', { operator: true })).body;
  t.same(
    records.map(({ devices }: AuditRecord) => devices),
    [['b'], undefined, ['a', 'b']],
  );
});

t.test('codes of many devices are withdrawn together, in one action', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const ids = ['a', 'b', 'c'];
  await s.call('POST', '/api/devices/import', { operator: true, body: { devices: ids.map((device) => ({ device })) } });
  const claims = { operator: true, body: { devices: ['a', 'c'] } };
  const { code } = (await s.call('POST', '/api/devices/claims', claims)).body.claims[0];
  const body = { devices: [...ids, 'nobody', 'a'] };
  const answer = await s.call('POST', '/api/devices/claims/withdraw', { operator: true, body });
  t.equal(answer.status, 200);
  t.match(answer.body, {
    withdrawn: ['a', 'c'],
    none: ['b'],
    refused: [{ device: 'nobody', code: 'no-such-device' }],
  });
  t.equal((await s.call('POST', '/api/claim', { body: { code } })).status, 403);
  const { records } = (await s.call('GET', '/api/audit-trail?limit=1', { operator: true })).body;
  t.match(records[0], { action: 'device.unclaim', outcome: 'done' });
  t.match(records[0], { after: '{"withdrawn":2}', devices: ['a', 'c'] });
  t.equal((await s.call('POST', '/api/devices/claims/withdraw', { body })).status, 401);
});

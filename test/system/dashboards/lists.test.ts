import t from 'tap';
import { stage } from '../../support/stage.ts';
import { vote } from './viewer.ts';

t.test('ballots.csv has every ballot and is safe to open in a spreadsheet', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'multiple' });
  await vote(s, '-cmd', 'q', 'b,a');
  await vote(s, 'plain', 'q', 'c');
  await s.resultAfter('q', 2);
  const { body, headers } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
  t.match(headers.get('content-disposition'), 'q-1.csv');
  const lines = body.split('\r\n');
  t.equal(lines[0].replace('\ufeff', ''), 'device,choice,n,at,weight,group,late');
  t.ok(
    lines.some((line: string) => line.startsWith(`'-cmd,"a,b",,2`)),
    body,
  );
  t.ok(lines.some((line: string) => line.startsWith('plain,c,,2')));
});

t.test('devices can be registered and imported, and all invalid devices are reported together', async (t) => {
  const s = await stage(t);
  const register = (body: object) => s.call('POST', '/api/devices', { operator: true, body });
  t.match((await register({ device: 'seat-1', label: 'Seat 1' })).body, { device: 'seat-1', secret: /^[\w-]{24}$/ });
  t.equal((await register({ device: 'seat-1' })).status, 409);
  const devices = [{ device: 'seat-1' }, { device: 'seat-2', secret: 'a-secret-of-our-own' }];
  const imported = await s.call('POST', '/api/devices/import', { operator: true, body: { devices } });
  t.match(imported.body, { devices: [{ device: 'seat-2', secret: 'a-secret-of-our-own' }], existing: ['seat-1'] });
  const bad = await s.call('POST', '/api/devices/import', {
    operator: true,
    body: { devices: [{ device: 'a b' }, { device: 'x', secret: 'short' }, { device: 'x' }, { device: 'guest-1' }] },
  });
  t.equal(bad.status, 400);
  t.equal(bad.body.problems.length, 4, bad.body.problems.join('; '));
  t.equal((await s.call('GET', '/api/devices/x', { operator: true })).status, 404, 'nothing was registered');
  t.match((await s.call('GET', '/api/devices/seat-1', { operator: true })).body, {
    registered: true,
    label: 'Seat 1',
    status: null,
  });
  const kept = JSON.stringify(await s.pollcast.store.registry.list('devices'));
  t.notOk(kept.includes('a-secret-of-our-own'), 'secrets are stored as hashes');
});

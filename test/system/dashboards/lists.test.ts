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
  const device = 'a-device-with-a-long-id';
  for (const secret of [device, device.toUpperCase(), 'aaaaaaaaaaaaaaaaaa', '0101010101010101', 'abcdabcdabcdabcdab'])
    t.match(await register({ device, secret }), { status: 400, body: { problems: [/can be guessed/] } }, secret);
  t.match((await s.call('GET', '/api/devices/seat-1', { operator: true })).body, {
    registered: true,
    label: 'Seat 1',
    status: null,
  });
  const kept = JSON.stringify(await s.pollcast.store.registry.list('devices'));
  t.notOk(kept.includes('a-secret-of-our-own'), 'secrets are stored as hashes');
});

t.test('a table that is imported again changes devices, and a dry run says how', async (t) => {
  const s = await stage(t);
  const send = async (text: string | Buffer, query = '') => {
    const headers = { ...s.operator, 'content-type': 'text/csv' };
    const response = await fetch(`${s.http}/api/devices/import${query}`, { method: 'POST', headers, body: text });
    // biome-ignore lint/suspicious/noExplicitAny: answers and problems
    return { status: response.status, body: (await response.json()) as any };
  };
  const device = async (id: string) => (await s.call('GET', `/api/devices/${id}`, { operator: true })).body;
  const first = 'Device;Label;Weight;Mandates;Colour\r\nd1;Jürgen;2,5;ann bob=3\r\nd2;Bea;;\r\n';
  const dry = await send(Buffer.from(first, 'latin1'), '?dryRun=true');
  t.equal(dry.status, 200);
  t.match(dry.body, {
    dryRun: true,
    devices: [],
    existing: [],
    added: [{ device: 'd1', changes: [{ field: 'label', from: null, to: 'Jürgen' }] }, { device: 'd2' }],
    changed: [],
    table: { encoding: 'Windows-1252', separator: ';', ignoredColumns: ['Colour'] },
  });
  t.notOk((await device('d1')).registered, 'a dry run registers nothing');
  const done = await send(Buffer.from(first, 'latin1'));
  t.match(done, { status: 201, body: { devices: [{ device: 'd1', secret: /./ }, { device: 'd2' }] } });
  t.match(await device('d1'), {
    label: 'Jürgen',
    weight: '2.5',
    mandates: [{ mandate: 'ann' }, { mandate: 'bob', weight: '3' }],
  });

  const again = 'device,weight,mandates\nd1,2.50,bob=3\nd2,1,ann\nd3,,\n';
  const changes = [
    { device: 'd1', changes: [{ field: 'mandates', from: 'ann bob=3', to: 'bob=3' }] },
    { device: 'd2', changes: [{ field: 'mandates', from: null, to: 'ann' }] },
  ];
  t.match((await send(again, '?dryRun=true')).body, { changed: changes, added: [{ device: 'd3' }] });
  t.match(await device('d2'), { mandates: [] }, 'a dry run changes nothing');
  const applied = await send(again);
  t.match(applied.body, { dryRun: false, changed: changes, existing: ['d1', 'd2'], devices: [{ device: 'd3' }] });
  t.match(await device('d1'), { label: 'Jürgen', weight: '2.5', mandates: [{ mandate: 'bob', weight: '3' }] });
  t.match((await send(again)).body, { added: [], changed: [], unchanged: ['d1', 'd2', 'd3'], devices: [] });
  t.match((await send('device,label\nd1,\n')).body, {
    changed: [{ changes: [{ field: 'label', from: 'Jürgen', to: null }] }],
  });
  t.match(await device('d1'), { label: null, weight: '2.5' }, 'an empty cell removes, a missing column does not');

  t.match((await send('device,mandates\nd9,ann\n', '?dryRun=true')).body, {
    status: 409,
    problems: [/ann.*d2 and d9/],
  });
  t.match((await send('device,label\n\nd9,"a\u202eb"\n')).body, { status: 400, problems: [/^row 3: label/] });
  t.match((await send('device,secret\nd1,another-secret-of-ours\n')).body, {
    status: 400,
    problems: [/^row 2: secret/],
  });
  const json = {
    devices: [
      { device: 'd1', label: 'One' },
      { device: 'd2', mandates: null },
    ],
  };
  await s.call('POST', '/api/devices/import', { operator: true, body: json });
  t.match(await device('d1'), { label: 'One', mandates: [{ mandate: 'bob' }] });
  t.match(await device('d2'), { mandates: [] });
});

t.test('labels with control or bidi characters are refused wherever they are set', async (t) => {
  const s = await stage(t);
  const call = (method: string, path: string, body: object) => s.call(method, path, { operator: true, body });
  t.equal((await call('POST', '/api/devices', { device: 'd', label: 'a\u202eb' })).status, 400);
  t.equal((await call('POST', '/api/devices', { device: 'd', label: 'ok' })).status, 201);
  for (const body of [{ label: 'a\nb' }, { label: '\u200f' }, { label: 'x'.repeat(101) }, { lentTo: 'a\u0007' }]) {
    t.equal((await call('PATCH', '/api/devices/d', body)).status, 400, JSON.stringify(body));
  }
});

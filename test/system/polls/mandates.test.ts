import t from 'tap';
import type { Device } from '../../../core/devices/device.ts';
import { hashSecret } from '../../../core/devices/secret.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { create, DOOR, options, register, resultOf, step } from './chair.ts';

const add = (s: Stage, device: string, settings: object = {}) =>
  s.call('POST', '/api/devices', { operator: true, body: { device, ...settings } });
const patch = (s: Stage, device: string, body: object) =>
  s.call('PATCH', `/api/devices/${device}`, { operator: true, body });
const mandates = (...ids: string[]) => ({ mandates: ids.map((mandate) => ({ mandate })) });
const isRegistered = async (s: Stage, device: string) =>
  (await s.call('GET', `/api/devices/${device}`, { operator: true })).status === 200;

t.test('nobody votes twice: a mandate belongs to one device, and a device that votes is no mandate', async (t) => {
  const s = await stage(t);
  t.equal((await add(s, 'd1', { weight: '3' })).status, 201);
  t.equal((await add(s, 'd2', mandates('ann'))).status, 201);
  const twice = { status: 409, type: 'urn:pollcast:mandate-twice' };
  t.match((await add(s, 'd3', mandates('ann'))).body, { ...twice, problems: [/ann.*d2 and d3/] });
  t.match((await add(s, 'd3', mandates('d1'))).body, { ...twice, problems: [/d1.*d3.*weight 0/] });
  t.match((await add(s, 'ann')).body, { ...twice, problems: [/ann.*d2/] }, 'a mandate is registered as a device');
  t.match((await add(s, 'd3', mandates('d3'))).body, { status: 400, problems: [/no mandate for itself/] });
  t.notOk((await isRegistered(s, 'd3')) || (await isRegistered(s, 'ann')), 'nothing was registered');
  t.match((await patch(s, 'd1', mandates('ann'))).body, { ...twice, problems: [/ann.*d1.*d2|ann.*d2.*d1/] });
  t.match((await patch(s, 'd2', mandates('d1'))).body, twice);

  t.equal((await patch(s, 'd1', { weight: '0' })).status, 200);
  t.equal((await patch(s, 'd2', mandates('d1', 'ann'))).status, 200, 'a device of weight 0 may be represented');
  t.match((await patch(s, 'd1', { weight: '3' })).body, twice, 'and may then not vote itself');
  t.match((await patch(s, 'd1', { weight: null })).body, twice);
  t.equal((await patch(s, 'd1', { label: 'First' })).status, 200);
  t.equal((await add(s, 'ann', { weight: '0' })).status, 201);

  const body = {
    devices: [{ device: 'x1', ...mandates('bob') }, { device: 'x2', ...mandates('bob') }, { device: 'x3' }],
  };
  const imported = await s.call('POST', '/api/devices/import', { operator: true, body });
  t.match(imported.body, { ...twice, problems: [/bob.*x1 and x2/] });
  t.notOk(await isRegistered(s, 'x3'), 'an import is refused as a whole');
});

t.test('of requests at the same time that would count a mandate twice, at most one succeeds', async (t) => {
  const s = await stage(t);
  for (let i = 0; i < 8; i++) {
    const answers = await Promise.all([
      add(s, `a${i}`, mandates(`m${i}`)),
      add(s, `b${i}`, mandates(`m${i}`)),
      add(s, `m${i}`),
    ]);
    t.ok(
      answers.filter(({ status }) => status === 201).length <= 1,
      JSON.stringify(answers.map(({ status }) => status)),
    );
    t.ok(answers.every(({ status }) => status === 201 || status === 409));
    const left = await Promise.all([`a${i}`, `b${i}`, `m${i}`].map((device) => isRegistered(s, device)));
    t.same(
      left,
      answers.map(({ status }) => status === 201),
      'what was refused is not registered',
    );
  }
});

t.test('a poll in which somebody would vote twice cannot be opened', async (t) => {
  const s = await stage(t, DOOR);
  // As an earlier version could store them.
  const store = (device: string, settings: Partial<Device>) =>
    s.pollcast.store.registry.put('devices', device, {
      device,
      ...settings,
      ...hashSecret('a-secret-of-our-own'),
      createdAtMs: Date.now(),
    });
  await store('d1', { weight: '3', group: 'north' });
  await store('d2', { group: 'north', mandates: [{ mandate: 'd1', group: 'north' }] });
  await store('d3', { group: 'south', mandates: [{ mandate: 'd1', group: 'south' }] });
  for (const [poll, eligible] of Object.entries({ any: 'anyone', all: 'registered', north: ['north'] })) {
    await create(s, poll, { options, eligible });
    t.match((await step(s, poll, 'open')).body, {
      status: 409,
      type: 'urn:pollcast:mandate-twice',
      problems: [/d1.*d2/],
    });
    t.equal((await s.call('GET', `/api/polls/${poll}`, { operator: true })).body.status, 'draft');
  }
  for (const [poll, eligible] of Object.entries({ south: ['south'], guests: 'guests' })) {
    await create(s, poll, { options, eligible });
    t.equal((await step(s, poll, 'open')).status, 200, `nobody votes twice in ${poll}`);
  }
  t.equal((await patch(s, 'd3', { mandates: [] })).status, 200, 'it can be put right one device at a time');
  t.equal((await patch(s, 'd2', { mandates: [] })).status, 200);
  t.equal((await step(s, 'all', 'open')).status, 200);
});

t.test(
  'a receipt names the voters for whom nothing was cast, because they are in no group that may vote',
  async (t) => {
    const s = await stage(t, DOOR);
    const chair = await register(s, 'chair', {
      group: 'north',
      mandates: [{ mandate: 'ann' }, { mandate: 'bob', group: 'north' }, { mandate: 'cy' }],
    });
    await create(s, 'members', { options, eligible: ['north'] });
    await create(s, 'all', { options, eligible: 'registered' });
    for (const poll of ['members', 'all']) await step(s, poll, 'open');
    await chair.vote('vote/members', 'a');
    t.equal(await chair.next('receipt/chair'), 'accepted members without ann cy');
    await chair.vote('vote/members', '{"c":"b","m":"bob"}');
    t.equal(await chair.next('receipt/chair'), 'accepted members');
    await chair.vote('vote/members', '{"c":"b","m":"ann"}');
    t.equal(await chair.next('receipt/chair'), 'rejected members unknown-mandate');
    await chair.vote('vote/all', 'a');
    t.equal(await chair.next('receipt/chair'), 'accepted all');
    await s.resultAfter('members', 4);
    t.match(await resultOf(s, 'members'), { ballots: 2, options: [{ count: 1 }, { count: 1 }, { count: 0 }] });
  },
);

t.test('a mandate cannot move to another device during a round, because both could vote for it', async (t) => {
  const s = await stage(t, DOOR);
  const first = await register(s, 'd2', mandates('ann'));
  await add(s, 'd3');
  await add(s, 'seat');
  await create(s, 'q', { options, eligible: 'registered' });
  await step(s, 'q', 'open');
  await first.vote('vote/q', 'a');
  t.equal(await first.next('receipt/d2'), 'accepted q');
  const twice = { status: 409, type: 'urn:pollcast:mandate-twice' };

  t.equal((await patch(s, 'd2', { mandates: [] })).status, 200);
  t.match((await patch(s, 'd3', mandates('ann'))).body, { ...twice, problems: [/ann.*d2.*poll q.*d3/] });
  t.match((await add(s, 'ann')).body, twice, 'nor can the person vote on a device of their own');
  t.match((await add(s, 'd4', mandates('ann'))).body, twice);
  t.equal((await patch(s, 'd2', mandates('ann'))).status, 200, 'the device may have it back');
  const swap = {
    devices: [
      { device: 'd2', mandates: null },
      { device: 'd3', mandates: [{ mandate: 'ann' }] },
    ],
  };
  for (const query of ['?dryRun=true', '']) {
    const path = `/api/devices/import${query}`;
    t.match((await s.call('POST', path, { operator: true, body: swap })).body, twice, 'nor in one import');
  }
  t.equal((await s.call('DELETE', '/api/devices/d2', { operator: true })).status, 204);
  t.match((await patch(s, 'd3', mandates('ann'))).body, twice, 'nor after its device was revoked');
  t.match((await patch(s, 'd3', mandates('d2'))).body, twice);
  t.equal((await add(s, 'd2', mandates('ann'))).status, 201, 'a device may be registered again under its id');
  t.equal((await patch(s, 'seat', { weight: '0' })).status, 200);
  t.match((await patch(s, 'd3', mandates('seat'))).body, twice, 'nor may somebody be represented who may have voted');
  t.equal((await patch(s, 'd3', mandates('new'))).status, 200, 'a new mandate counts at once');

  await step(s, 'q', 'close');
  t.equal((await patch(s, 'd2', { mandates: [] })).status, 200);
  t.equal((await patch(s, 'd3', mandates('ann', 'seat'))).status, 200, 'after the round, it may move');
  await step(s, 'q', 'reopen');
  t.equal((await patch(s, 'd3', mandates('ann'))).status, 200);
  t.equal((await patch(s, 'd2', mandates('seat'))).body.type, 'urn:pollcast:mandate-twice');
  await step(s, 'q', 'close');
  t.equal((await patch(s, 'd2', mandates('seat'))).status, 200);
});

import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Device, stage } from '../../support/stage.ts';
import { create, DOOR, finalOf, options, register, resultOf, step } from './chair.ts';

t.test('polls that depend on the identity of devices cannot be opened while the door is open', async (t) => {
  const s = await stage(t);
  await create(s, 'q', { options, weighted: true });
  t.match((await step(s, 'q', 'open')).body, {
    status: 409,
    type: 'urn:pollcast:open-door',
    detail: /POLLCAST_DOOR=devices/,
  });
});

t.test('voting can be limited to groups or to guests', async (t) => {
  const s = await stage(t, DOOR);
  await create(s, 'members', { options, eligible: ['north'] });
  await create(s, 'guests', { options, eligible: 'guests' });
  for (const poll of ['members', 'guests']) await step(s, poll, 'open');
  const north = await register(s, 'north-1', { group: 'north' });
  const south = await register(s, 'south-1', { group: 'south' });
  await create(s, 'hall', { options, room: 'hall' });
  const joined = (await s.call('POST', '/api/rooms/hall/join')).body;
  const guest = await s.device(joined.device, { username: joined.username, password: joined.password });
  await guest.subscribe(`receipt/${joined.device}`);
  const receiptFor = async (device: Device, topic: string, poll: string) => {
    await device.vote(`vote/${poll}`, 'a');
    return device.next(topic);
  };
  t.equal(await receiptFor(north, 'receipt/north-1', 'members'), 'accepted members');
  t.equal(await receiptFor(south, 'receipt/south-1', 'members'), 'rejected members not-eligible');
  t.equal(await receiptFor(guest, `receipt/${joined.device}`, 'members'), 'rejected members not-eligible');
  t.equal(await receiptFor(north, 'receipt/north-1', 'guests'), 'rejected guests not-eligible');
  t.equal(await receiptFor(guest, `receipt/${joined.device}`, 'guests'), 'accepted guests');
  await s.call('PATCH', '/api/devices/south-1', { operator: true, body: { group: 'north' } });
  await eventually('the new group', async () => {
    const receipt = await receiptFor(south, 'receipt/south-1', 'members');
    return receipt === 'accepted members' ? true : undefined;
  });
  const counted = await eventually('both ballots', async () => {
    const result = await resultOf(s, 'members');
    return result.ballots === 2 ? result : undefined;
  });
  t.match(
    counted.turnout,
    { voted: 2, entitled: 0, share: null },
    'turnout is relative to the members registered when the poll opened',
  );
});

t.test('weights, mandates and presence decide the verdict', async (t) => {
  const s = await stage(t, DOOR);
  const ann = await register(s, 'ann', { weight: '10.5', group: 'a' });
  const bob = await register(s, 'bob', {
    weight: '0',
    group: 'b',
    mandates: [
      { mandate: 'cy', weight: '0.1' },
      { mandate: 'dee', weight: '0.2' },
    ],
  });
  await s.call('POST', '/api/devices', { operator: true, body: { device: 'absent', weight: '4' } });
  await create(s, 'q', {
    kind: 'motion',
    eligible: 'registered',
    weighted: true,
    byGroup: true,
    majority: [
      { share: '> 1/2', of: 'entitled' },
      { share: '> 1/2', of: 'present', by: 'heads' },
    ],
    quorum: { share: '> 1/2', at: 'both' },
  });
  const opened = (await step(s, 'q', 'open')).body;
  t.match(opened, { electorate: { heads: 4, weight: '14.8' }, presentAtOpen: { heads: 3, weight: '10.8' } });
  await ann.vote('vote/q', 'y');
  await bob.vote('vote/q', 'no');
  await bob.vote('vote/q', '{"c":"yes","m":"dee"}');
  await bob.vote('vote/q', '{"c":"yes","m":"bob"}');
  t.same(
    [await bob.next('receipt/bob'), await bob.next('receipt/bob'), await bob.next('receipt/bob')],
    ['accepted q', 'accepted q', 'rejected q unknown-mandate'],
    'bob has no mandate in his own name',
  );
  await s.resultAfter('q', 5);
  await step(s, 'q', 'close');
  const final = await finalOf(s, 'q');
  t.match(final, {
    ballots: 3,
    options: [
      { key: 'yes', count: 2, weight: '10.7' },
      { key: 'no', count: 1, weight: '0.1' },
      { key: 'abstain', count: 0, weight: '0' },
    ],
    turnout: { voted: 3, entitled: 4, weight: { voted: '10.8', entitled: '14.8' } },
    verdict: {
      adopted: true,
      quorate: true,
      majority: [
        { part: '10.7', whole: '14.8', met: true },
        { part: '2', whole: '3', met: true },
      ],
      quorum: [
        { when: 'open', part: '10.8', met: true },
        { when: 'close', part: '10.8', met: true },
      ],
    },
    accounting: { received: 5, counted: 3, replaced: 1, rejected: { 'unknown-mandate': 1 } },
  });
  t.same(
    final.groups.map(({ group, ballots }: { group: string; ballots: number }) => [group, ballots]),
    [
      ['a', 1],
      [null, 2],
    ],
    'a mandate does not inherit the group of its device',
  );
  const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
  t.match(body, /bob\/dee,yes,,[^,]*,0.2,,/);
  const table = (await s.call('GET', '/api/polls/q/result.csv', { operator: true })).body;
  t.match(table, /q,1,final,a,yes,Yes,1,10.5,1,1,/);
});

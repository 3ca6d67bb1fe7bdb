import t from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { endedByStore, Racer, raceCount, races } from '../../../support/network/races.ts';
import { stage } from '../../../support/stage.ts';
import { withPoll } from '../devices.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);

t.setTimeout(300_000);

t.test(`of several connections of one client id exactly one remains (CHAOS_SEED=${SEED})`, async (t) => {
  const s = await withPoll(t);
  const count = raceCount(300);
  const comebacks = await races(SEED, count, [s.pollcast.mqttPort], 'vote/q');
  t.ok(
    comebacks <= (await endedByStore([s.http])),
    'nothing ended a last connection but a vote that could not be stored',
  );
  t.match(await s.resultAfter('q', count), { ballots: count, votes: count });
});

t.test('of forty devices that connect at the same instant with one client id one remains', async (t) => {
  const s = await withPoll(t);
  const racers = await Racer.atStart(Array.from({ length: 40 }, () => s.pollcast.mqttPort));
  const first = racers[0]?.enter('forty') as Racer;
  await eventually('the first CONNACK', async () => (first.isOpen ? true : undefined));
  for (const racer of racers.slice(1)) racer.enter('forty');
  await eventually('one connection', async () =>
    racers.filter(({ isClosed }) => !isClosed).length === 1 ? true : undefined,
  );
  const last = racers.find(({ isClosed }) => !isClosed) as Racer;
  await eventually('its CONNACK', async () => (last.isOpen ? true : undefined));
  last.vote('vote/q', 'b');
  await eventually('its acknowledgement', async () => (last.isAnswered ? true : undefined));
  t.equal(last.isClosed, false);
});

t.test('votes of a connection that has been taken over count only if they were accepted before', async (t) => {
  const s = await withPoll(t, { revote: 'last' });
  let acknowledged = 0;
  let ready = 0;
  for (let round = 0; round < 40; round++) {
    const old = new Racer(s.pollcast.mqttPort).enter(`d${round}`);
    await eventually('CONNACK', async () => (old.isOpen ? true : undefined));
    const now = new Racer(s.pollcast.mqttPort).enter(`d${round}`);
    // Votes in both directions: the old connection keeps sending while the newer one takes over.
    while (!now.isOpen) {
      old.vote('vote/q', 'a');
      await new Promise(setImmediate);
    }
    for (let i = 0; i < 5; i++) old.vote('vote/q', 'b');
    await eventually('the end of the old connection', async () => (old.isClosed ? true : undefined));
    acknowledged += old.votes;
    now.vote('vote/q', 'c');
    await eventually('the newer vote', async () => (now.isAnswered ? true : undefined));
    ready++;
  }
  const result = await s.resultAfter('q', acknowledged + ready);
  t.equal(result.votes, acknowledged + ready, 'what was acknowledged is what is on the log');
  t.same(
    result.options.map(({ count }) => count),
    [0, 0, ready],
  );
});

t.test('a removed device loses every connection, and one that has changed votes with its new weight', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { weighted: true });
  for (let round = 0; round < 10; round++) {
    const device = `seat-${round}`;
    const register = async () =>
      (await s.call('POST', '/api/devices', { operator: true, body: { device } })).body.secret as string;
    const password = await register();
    const racers = await Racer.atStart(Array.from({ length: 8 }, () => s.pollcast.mqttPort));
    const first = racers[0]?.enter(device, { username: device, password }) as Racer;
    await eventually('the first CONNACK', async () => (first.isOpen ? true : undefined));
    for (const racer of racers.slice(1)) racer.enter(device, { username: device, password });
    await eventually('one connection', async () =>
      racers.filter(({ isClosed, isOpen }) => !isClosed && isOpen).length === 1 &&
      racers.filter(({ isClosed }) => isClosed).length === 7
        ? true
        : undefined,
    );
    const last = racers.find(({ isOpen }) => isOpen) as Racer;
    t.equal((await s.call('PATCH', `/api/devices/${device}`, { operator: true, body: { weight: '3' } })).status, 200);
    last.vote('vote/q', 'a');
    await eventually('an acknowledgement', async () => (last.isAnswered ? true : undefined));
    t.equal(last.isClosed, false, 'a change does not disconnect the device');
    t.equal((await s.call('DELETE', `/api/devices/${device}`, { operator: true })).status, 204);
    await register();
    await eventually('the end of the removed device', async () => (last.isClosed ? true : undefined));
  }
  const result = await s.resultAfter('q', 10);
  t.match(result.options[0], { count: 10, weight: '30' });
});

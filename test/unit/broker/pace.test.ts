import t from 'tap';
import { connectionRates, Pace, SharedPace } from '../../../broker/connection/flow/pace.ts';
import { PINGREQ, PUBLISH, SUBSCRIBE } from '../../../broker/connection/wire/frame.ts';
import { Allowance } from '../../../core/waiting/allowance.ts';

t.test('an allowance is restored over time, and never exceeds its burst', async (t) => {
  const allowance = new Allowance({ burst: 10, perSecond: 100 }, 0);
  for (let i = 0; i < 10; i++) t.equal(allowance.take(1, 0), 0);
  t.equal(allowance.take(1, 0), 10, 'the eleventh waits for what one costs');
  t.equal(allowance.take(1, 0), 20, 'the twelfth waits behind it');
  t.equal(allowance.take(10, 60_000), 0);
  t.equal(allowance.take(1, 60_000), 10, 'an hour of silence is worth no more than a burst');
});

t.test('a packet that waits passes once, when its time has come', async (t) => {
  const slowed: string[] = [];
  const rates = { ping: { burst: 1, perSecond: 10 } };
  const pace = new Pace(new SharedPace({}), { slowed: (of) => slowed.push(of) }, rates);
  t.equal(pace.delay(PINGREQ, 2, 0), 0);
  t.equal(pace.delay(PINGREQ, 2, 0), 100);
  t.equal(pace.delay(PINGREQ, 2, 40), 60, 'asking again costs nothing');
  t.equal(pace.delay(PINGREQ, 2, 100), 0);
  t.equal(pace.delay(PUBLISH, 14, 100), 0, 'other packets have their own allowance');
  t.same(slowed, ['ping']);
});

t.test('SUBSCRIBE costs what its filters cost', async (t) => {
  const pace = new Pace(new SharedPace({}), { slowed: () => {} }, { subscribe: { burst: 20, perSecond: 10 } });
  t.equal(pace.delay(SUBSCRIBE, 320, 0), 0);
  t.equal(pace.delay(SUBSCRIBE, 160, 0), 1_000);
});

t.test('connections take turns, and one that closes gives back what it did not use', async (t) => {
  const shared = new SharedPace({ subscribe: { burst: 1, perSecond: 10 } });
  const nowMs = performance.now();
  const [first, second, third] = [0, 1, 2].map(() => new Pace(shared, { slowed: () => {} }, {})) as [Pace, Pace, Pace];
  t.equal(first.delay(SUBSCRIBE, 8, nowMs), 0);
  const waitMs = first.delay(SUBSCRIBE, 8, nowMs);
  t.ok(waitMs > 0);
  const behindMs = second.delay(SUBSCRIBE, 8, nowMs);
  t.ok(behindMs > waitMs, 'the second connection waits behind one packet of the first, not behind all of them');
  second.close();
  t.ok(third.delay(SUBSCRIBE, 8, nowMs) <= behindMs);
});

t.test('packets that wait pass several at a time', async (t) => {
  const shared = new SharedPace({}, { publish: { burst: 1, perSecond: 1_000 } });
  const pace = new Pace(shared, { slowed: () => {} });
  t.equal(pace.delay(PUBLISH, 14, 0), 0);
  t.equal(pace.delay(PUBLISH, 14, 0), 20, 'not 1 ms');
  t.equal(pace.delay(PUBLISH, 14, 20), 0);
  for (let i = 0; i < 19; i++) t.equal(pace.delay(PUBLISH, 14, 20 + i), 0);
});

t.test('how fast a connection is read follows from the votes that a device may send', async (t) => {
  const publish = (perSecond: number, burst: number) => connectionRates({ perSecond, burst }).publish;
  t.same(publish(1_000, 5_000), { perSecond: 1_250, burst: 5_000 }, 'a fifth can be refused');
  t.same(publish(1, 1), { perSecond: 100, burst: 1_000 }, 'refusals and statuses need some, too');
  t.same(publish(100_000, 100_000), { perSecond: 5_000, burst: 10_000 });
});

import t from 'tap';
import { Flow, Share } from '../../../broker/connection/flow/flow.ts';

const MOST = 512;

function share(flow: Flow): { share: Share; fill: () => number; resumed: () => number } {
  let resumed = 0;
  const made = new Share(flow, MOST, { resume: () => resumed++ });
  const fill = () => {
    let entered = 0;
    for (; made.hasRoom(); entered++) made.enter();
    return entered;
  };
  return { share: made, fill, resumed: () => resumed };
}

t.test('a connection that pipelines alone may have as much in flight as its limit allows', async (t) => {
  const { share: only, fill, resumed } = share(new Flow(50_000));
  t.equal(fill(), MOST);
  only.leave(MOST / 2 - 1);
  t.equal(resumed(), 0);
  only.leave(1);
  t.equal(resumed(), 1, 'it goes on when half is free');
  t.equal(fill(), MOST / 2);
});

t.test('connections that pipeline share what may be in flight', async (t) => {
  const flow = new Flow(50_000);
  const first = share(flow);
  t.equal(first.fill(), MOST);
  const others = Array.from({ length: 9 }, () => share(flow));
  for (const { fill } of others) t.ok(fill() <= MOST);
  const all = [first, ...others];
  for (const { share: one } of all) one.leave(64);
  for (const { fill } of all) fill();
  first.share.leave(MOST - 64);
  const mine = first.fill();
  t.ok(mine > 64 && mine < 128, `${mine} of ${MOST}`);
  const quiet = share(flow);
  for (let i = 0; i < 64; i++) {
    t.ok(quiet.share.hasRoom());
    quiet.share.enter();
  }
});

t.test('a connection that was held goes on, also if its share has grown meanwhile', async (t) => {
  const flow = new Flow(50_000);
  const [one, two] = [share(flow), share(flow)];
  for (let i = 0; i < 100; i++) one.share.enter();
  for (let i = 0; i < 100; i++) two.share.enter();
  const crowd = Array.from({ length: 30 }, () => share(flow));
  for (const { share: each } of crowd) for (let i = 0; i < 65; i++) each.enter();
  t.equal(one.fill(), 0);
  for (const { share: each } of crowd) each.leave(65);
  two.share.leave(100);
  one.share.leave(1);
  t.equal(one.resumed(), 1);
  t.equal(one.fill(), MOST - 99);
});

t.test('at the limit of the broker, everybody waits until half is free', async (t) => {
  const flow = new Flow(10);
  const [one, two] = [share(flow), share(flow)];
  t.equal(one.fill(), 10);
  t.equal(two.fill(), 0);
  one.share.leave(5);
  t.equal(two.resumed(), 1);
  t.equal(flow.inFlight, 5);
});

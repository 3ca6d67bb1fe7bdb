import { Duplex } from 'node:stream';
import t from 'tap';
import { Guesses } from '../../../broker/admission/guesses.ts';
import { Places } from '../../../broker/admission/places.ts';
import { Strangers } from '../../../broker/admission/strangers.ts';
import { Connection, type House } from '../../../broker/connection/connection.ts';
import { Flow } from '../../../broker/connection/flow/flow.ts';
import { GateError } from '../../../broker/connection/gate-owner.ts';
import { Allowances } from '../../../core/waiting/allowances.ts';

const WHY = new GateError('room is needed');
const HOUSE: House = {
  arrive: () => {},
  attach: () => {},
  slowed: () => {},
  closing: () => {},
  depart: () => {},
  gone: () => {},
};

/** Stands for a socket whose other end is this test. */
class Socket extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

function from(network: string | undefined): Connection {
  return new Connection(new Socket(), { address: network, network }, HOUSE, { flow: new Flow(10) });
}

const many = (count: number, network: string | undefined) => Array.from({ length: count }, () => from(network));

t.test('when too many have sent no CONNECT, the oldest of the address that sends most of them goes', async (t) => {
  const strangers = new Strangers(100);
  const good = from('good');
  strangers.add(good);
  const bad = many(300, 'bad');
  for (const one of bad) strangers.add(one);
  t.notOk(good.isClosed);
  t.equal(strangers.size, 81);
  t.same(
    bad.map(({ isClosed }) => isClosed),
    bad.map((_, i) => i < 220),
    'the oldest went first',
  );
  t.ok(bad.slice(0, 220).every(({ refusal }) => refusal === 'stranger'));
  for (const one of bad) strangers.remove(one);
  strangers.remove(good);
  strangers.remove(good);
  t.equal(strangers.size, 0);
});

t.test('strangers from many addresses go in the order in which they came', async (t) => {
  const strangers = new Strangers(100);
  const all = Array.from({ length: 150 }, (_, i) => from(i % 2 ? undefined : `10.0.0.${i}`));
  for (const one of all) strangers.add(one);
  t.equal(strangers.size, 100);
  t.same(
    all.map(({ isClosed }) => isClosed),
    all.map((_, i) => i < 50),
  );
  for (let left = 100; left > 0; left--) t.ok(strangers.sendOldest(WHY));
  t.notOk(strangers.sendOldest(WHY));
});

t.test('one address cannot take all places, and the last ones are for registered devices', async (t) => {
  const places = new Places({ most: 20, mostOfAddress: undefined, hasRegistered: true });
  const enter = (connection: Connection, isRegistered = false, isReturning = false) =>
    places.arrive(connection, isReturning) ?? places.take(connection, isRegistered, isReturning);
  const bad = many(16, 'bad');
  for (const one of bad) t.equal(enter(one), true);
  t.equal(enter(from('bad')), 'address');
  t.equal(enter(from('bad'), false, true), true, 'a device that is connected may come again');
  t.equal(enter(from('good')), true);
  t.equal(enter(from('good')), false, 'only two places are left');
  t.equal(enter(from('good'), true), true);
  t.equal(enter(from(undefined), true), true);
  t.equal(enter(from('good'), true), false, 'all places are taken');
  t.equal(enter(from('good'), true, true), true);
  for (const one of [...bad, ...bad]) places.leave(one);
  t.equal(enter(from('bad')), true, 'whoever leaves makes room, once');
});

t.test('whoever is not let in takes no place', async (t) => {
  const places = new Places({ most: 10, mostOfAddress: 9, hasRegistered: false });
  const waiting = [...many(9, 'bad'), from('worse')];
  for (const one of waiting) t.equal(places.arrive(one, false), undefined);
  t.equal(places.arrive(from('good'), false), 'full', 'so many cannot be looked at together');
  for (const one of waiting) places.leave(one);
  for (const one of many(9, 'good')) {
    t.equal(places.arrive(one, false), undefined);
    t.ok(places.take(one, false, false));
  }
});

t.test('wrong secrets are answered later and later, and then refused, for a device or an address', async (t) => {
  const guesses = new Guesses();
  for (let i = 0; i < 10; i++) t.equal(guesses.delayOf('a', 'd', 0), 0, 'at once');
  for (let i = 1; i <= 5; i++) t.equal(guesses.delayOf('b', 'd', 0), i * 1_000);
  t.equal(guesses.delayOf('c', 'd', 0), undefined, 'from whatever address');
  t.equal(guesses.delayOf('c', 'd', 500), undefined);
  t.equal(guesses.delayOf('c', 'd', 1_000), 5_000, 'what was refused costs nothing');
  t.equal(guesses.delayOf('c', 'other', 0), 0, 'other devices are not concerned');
  const delays = Array.from({ length: 400 }, (_, i) => guesses.delayOf('bad', `d${i}`, 0));
  t.same(
    delays.map((delay) => delay === undefined),
    delays.map((_, i) => i >= 150),
    'of many devices, from one address',
  );
  t.equal(guesses.delayOf(undefined, 'new', 0), 0, 'a proxy is no address');
});

t.test('an allowance is kept for whoever has it, and only so many are kept', async (t) => {
  const allowances = new Allowances({ burst: 2, perSecond: 1 });
  for (const left of [true, true, false]) t.equal(allowances.of('d', 0).takeIf(1, 0), left);
  t.equal(allowances.of('d', 500).takeIf(1, 500), false, 'what is refused costs nothing');
  t.equal(allowances.of('d', 1_000).takeIf(1, 1_000), true);
  for (let i = 0; i < 20_000; i++) allowances.of(`other${i}`, 1_000);
  t.equal(allowances.of('d', 1_000).takeIf(1, 1_000), true, 'the one used least recently was forgotten');
});

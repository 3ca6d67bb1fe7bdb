import { createHash } from 'node:crypto';
import t from 'tap';
import { keyedHash } from '../../../core/devices/guests/credential.ts';
import { callerOf } from '../../../core/process/networks.ts';
import { JoinBudget } from '../../../dashboards/joining/budget.ts';
import { Challenges } from '../../../dashboards/joining/challenges.ts';
import { bitsOf, proofOf } from '../../../dashboards/pages/vote/booth/joining/proof.ts';
import { sha256Start } from '../../../dashboards/pages/vote/booth/joining/sha256.ts';

const sign = async (text: string) => keyedHash('key', text).toString('base64url');

t.test('the page computes SHA-256 as everybody does', async (t) => {
  for (let length = 0; length <= 55; length++) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 7 + length) % 94))).join('');
    t.equal(sha256Start(text), createHash('sha256').update(text).digest().readInt32BE(0), text);
  }
  t.throws(() => sha256Start('a'.repeat(56)), RangeError);
});

t.test('a proof is accepted once, by any dashboard, for its room, and not if it is too easy by now', async (t) => {
  const [one, two] = [new Challenges(sign), new Challenges(sign)];
  const proof = await proofOf(await one.make('hall', 0));
  t.equal(bitsOf(proof.challenge), 16);
  t.equal(await one.accept('bar', 0, proof), false, 'another room');
  t.equal(await one.accept('hall', 2, proof), false, 'more difficult proofs are needed by now');
  for (const nonce of [`${Number(proof.nonce) + 1}`, '', '-1', `${proof.nonce}x`]) {
    t.equal(await one.accept('hall', 0, { ...proof, nonce }), false, nonce);
  }
  const [expires, , ...rest] = proof.challenge.split('.');
  const easier = await proofOf([expires, '1', ...rest].join('.'));
  t.equal(await one.accept('hall', 0, easier), false, 'nobody can make a challenge easier');
  t.equal(await one.accept('hall', 1, proof), true, 'a little more is tolerated');
  t.equal(await one.accept('hall', 0, proof), false, 'once');
  t.equal(await two.accept('hall', 0, proof), true, 'the other dashboard has not seen it');
  t.equal(await new Challenges(async () => 'another key').accept('hall', 0, proof), false);
  t.same(
    (await Promise.all([0, 0.9, 1, 3.5, 100].map((debt) => one.make('hall', debt)))).map(bitsOf),
    [16, 16, 17, 19, 20],
  );
});

t.test('challenges expire', async (t) => {
  const challenges = new Challenges(sign);
  const proof = await proofOf(await challenges.make('hall', 0));
  const late = Date.now() + 301_000;
  const { restore } = t.capture(Date, 'now', () => late);
  const isAccepted = await challenges.accept('hall', 0, proof);
  restore();
  t.equal(isAccepted, false);
});

t.test('an address has a budget in each room, which proofs may overdraw', async (t) => {
  const budget = new JoinBudget();
  const spend = (address: string, room: string, hasProof = false) => budget.spend(address, room, 3, hasProof);
  t.same(
    [1, 2, 3, 4].map(() => spend('10.0.0.1', 'hall')),
    ['token', 'token', 'token', undefined],
  );
  t.equal(spend('10.0.0.2', 'hall'), 'token', 'another address');
  t.equal(spend('10.0.0.1', 'bar'), 'token', 'another room');
  t.equal(budget.debt('10.0.0.1', 'hall', 3) < 0.01, true);
  t.equal(spend('10.0.0.1', 'hall', true), 'proof');
  t.ok(budget.waitSeconds('10.0.0.1', 'hall', 3) > 200);
  for (let i = 0; i < 100; i++) spend('10.0.0.1', 'hall', true);
  t.ok(budget.debt('10.0.0.1', 'hall', 3) <= 8, 'debts are bounded');
  t.equal(budget.spend('10.0.0.1', 'hall', 1_000, false), 'token', 'the operator expects more now');
});

t.test('a network of IPv6 has one budget, and so has an address of IPv4', async (t) => {
  for (const [a, b, isSame] of [
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff:1:2:3', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:5:6:7:8', true],
    ['::1', '::2', true],
    ['fe80::1%eth0', 'fe80::2', true],
  ] as const) {
    t.equal(callerOf(a) === callerOf(b), isSame, `${a} and ${b}`);
  }
});

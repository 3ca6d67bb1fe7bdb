import t from 'tap';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { castAttributesOf, type Elector, electorateOf, votersOf } from '../../../../core/voting/poll/electorate.ts';
import { rollOf, sumRolls } from '../../../../core/voting/rules/roll.ts';
import { define, pollOf } from '../../../support/kind.ts';

t.test('in secret polls, the group of a vote is not stored if the group is small', async (t) => {
  const definition = define('motion', [], {
    secrecy: 'secret',
    visibility: 'closed',
    byGroup: true,
    eligible: 'registered',
  });
  const groups = { few: { heads: 4, weight: '4' }, many: { heads: 5, weight: '5' } };
  const poll = pollOf(definition, { electorate: { heads: 9, weight: '9', groups } });
  const groupOf = (group: string) => castAttributesOf({ voter: 'v', group }, poll).group;
  t.same(['few', 'many', 'new', '__proto__'].map(groupOf), [undefined, 'many', undefined, undefined]);
});

t.test('a guest is eligible in polls of its own room, and in those without a room', async (t) => {
  const guest = { device: 'guest-1', isRegistered: false, isGuest: true, room: 'hall' };
  const votes = (room: string | undefined, eligible: Definition['eligible'], elector: Elector = guest) =>
    votersOf(elector, { ...define('motion', [], { eligible }), room }).length > 0;
  for (const eligible of ['anyone', 'guests'] as const) {
    t.same(
      ['hall', 'bar', undefined].map((room) => votes(room, eligible)),
      [true, false, true],
      eligible,
    );
    // The devices of a rehearsal, whose poll has no room.
    t.same(
      ['hall', undefined].map((room) => votes(room, eligible, { ...guest, room: '' })),
      [false, true],
      eligible,
    );
  }
  t.equal(votes('hall', 'registered'), false);
  t.equal(votes('bar', 'anyone', { device: 'd', isRegistered: true, isGuest: false }), true);
});

t.test('eligibility is checked for guests, registered devices, groups and mandates', async (t) => {
  const device = {
    device: 'd',
    isRegistered: true,
    isGuest: false,
    weight: '2.5',
    group: 'north',
    mandates: [
      { mandate: 'ann', weight: '7' },
      { mandate: 'bob', group: 'south' },
    ],
  };
  const names = (eligible: Definition['eligible'], elector = device) =>
    votersOf(elector, define('motion', [], { eligible })).map(({ voter }) => voter);
  t.same(names('anyone'), ['d', 'd/ann', 'd/bob']);
  t.same(names('guests'), []);
  t.same(names(['south']), ['d/bob']);
  t.same(names(['north', 'south']), ['d', 'd/bob']);
  t.same(
    names('registered', { ...device, weight: '0' }),
    ['d/ann', 'd/bob'],
    'a device of weight 0 has no vote of its own but can carry mandates',
  );
  t.same(names('registered', { ...device, isRegistered: false }), []);
  t.same(electorateOf(define('motion', [], { eligible: 'registered' }), [device]), {
    heads: 3,
    weight: '10.5',
    groups: { north: { heads: 1, weight: '2.5' }, south: { heads: 1, weight: '1' } },
  });
  t.equal(electorateOf(define('motion'), [device]), undefined, 'the electorate is unknown if anyone may vote');
  const one = rollOf([{ voter: 'a', weight: '0.1', group: 'x' }]);
  const two = rollOf([{ voter: 'b', weight: '0.2', group: 'x' }]);
  t.same(sumRolls([one, two]), { heads: 2, weight: '0.3', groups: { x: { heads: 2, weight: '0.3' } } });
  t.same(sumRolls([]), { heads: 0, weight: '0', groups: {} });
});

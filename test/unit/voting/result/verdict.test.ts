import t from 'tap';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { figuresOf } from '../../../../core/voting/result/result.ts';
import type { RoundRecord } from '../../../../core/voting/rules/record.ts';
import { define, pollOf, roll } from '../../../support/kind.ts';

const verdictOf = (settings: Partial<Definition>, tally: Record<string, number>, record: RoundRecord = {}) =>
  figuresOf(pollOf(define('motion', [], settings), record), new Map(Object.entries(tally)), true, 0).verdict;

t.test('majorities: every named majority decides correctly on both sides of its threshold', async (t) => {
  t.match(verdictOf({ majority: 'simple' }, { yes: 5, no: 5, abstain: 90 }), { adopted: false });
  t.match(verdictOf({ majority: 'simple' }, { yes: 6, no: 5, abstain: 90 }), {
    adopted: true,
    option: 'yes',
    majority: [{ share: '> 1/2', of: 'yes+no', by: 'heads', part: '6', whole: '11', met: true }],
  });
  const registered = { eligible: 'registered' } as const;
  t.match(verdictOf({ majority: 'absolute', ...registered }, { yes: 50 }, { electorate: roll(100) }), {
    adopted: false,
  });
  t.match(verdictOf({ majority: 'absolute', ...registered }, { yes: 51 }, { electorate: roll(100) }), {
    adopted: true,
  });
  t.match(verdictOf({ majority: 'two-thirds' }, { yes: 2, no: 1 }), { adopted: true }, 'exactly two thirds are enough');
  t.match(verdictOf({ majority: 'two-thirds' }, { yes: 666_666, no: 333_334 }), { adopted: false });
  t.match(verdictOf({ majority: [{ share: '> 2/3', of: 'yes+no' }] }, { yes: 2, no: 1 }), { adopted: false });
  t.match(verdictOf({ majority: 'three-quarters' }, { yes: 3, no: 1 }), { adopted: true });
  t.match(
    verdictOf({ majority: 'unanimous' }, { yes: 3, abstain: 4 }),
    { adopted: true },
    'an abstention is not a vote against',
  );
  t.match(verdictOf({ majority: 'unanimous' }, { yes: 3, no: 1 }), { adopted: false });
  t.match(
    verdictOf({ majority: 'unanimous' }, { abstain: 4 }),
    { adopted: false },
    'a motion is not adopted if nobody voted for it',
  );
  t.match(verdictOf({ majority: [{ share: '> 1/2', of: 'cast' }] }, { yes: 5, no: 1, abstain: 4 }), { adopted: false });
  t.match(verdictOf({ majority: [{ share: '> 1/2', of: 'valid' }] }, { yes: 5, no: 1, abstain: 4 }), { adopted: true });
  const present = { majority: [{ share: '> 1/2', of: 'present' }] } as const;
  t.match(verdictOf(present, { yes: 5 }, { presentAtClose: roll(10) }), { adopted: false });
  t.match(
    verdictOf(present, { yes: 5 }),
    { adopted: null },
    'if it is unknown who is present, the verdict is unknown rather than negative',
  );
  t.equal(verdictOf({}, { yes: 1 }), undefined);
});

t.test(
  'majorities can be combined, be counted by weight, heads or groups, and be used in single-choice polls',
  async (t) => {
    const double: Partial<Definition> = {
      weighted: true,
      majority: [
        { share: '>= 3/4', of: 'yes+no', by: 'weight' },
        { share: '> 1/2', of: 'yes+no', by: 'heads' },
      ],
    };
    t.match(verdictOf(double, { 'yes|w90': 1, no: 2, 'no|w0.5': 1 }), {
      adopted: false,
      majority: [{ met: true }, { met: false }],
    });
    t.match(verdictOf(double, { 'yes|w90': 1, yes: 2, no: 2 }), { adopted: true });
    const chambers: Partial<Definition> = {
      byGroup: true,
      majority: [
        { share: '> 1/2', of: 'yes+no' },
        { share: '> 1/2', of: 'valid', by: 'groups' },
      ],
    };
    t.match(verdictOf(chambers, { 'yes|gbig': 9, 'no|gsmall': 1, 'no|gtiny': 1 }), {
      adopted: false,
      majority: [{ met: true }, { part: '1', whole: '3', met: false }],
    });
    const single = define('single', ['a', 'b'], { majority: [{ share: '> 1/2', of: 'valid' }], none: true });
    const of = (tally: Record<string, number>) =>
      figuresOf(pollOf(single), new Map(Object.entries(tally)), true, 0).verdict;
    t.match(of({ a: 3, b: 2, none: 9 }), { adopted: true, option: 'a' }, '"none of the above" is not a valid vote');
    t.match(of({ a: 2, b: 2 }), { adopted: false, option: null }, 'in a tie, no option leads');
    const own = define('single', ['a', 'abstain'], { majority: [{ share: '> 1/2', of: 'valid' }] });
    const tally = new Map([
      ['abstain', 5],
      ['a', 4],
    ]);
    const { verdict } = figuresOf(pollOf(own), tally, true, 0);
    t.match(verdict, { majority: [{ part: '5', whole: '9' }] }, 'an option named abstain is an ordinary option');
  },
);

t.test('quorum: a missed quorum marks the result but does not erase it', async (t) => {
  const settings: Partial<Definition> = {
    eligible: 'registered',
    majority: 'simple',
    quorum: { share: '>= 1/2', at: 'both' },
  };
  const record = { electorate: roll(10), presentAtOpen: roll(5), presentAtClose: roll(4) };
  const figures = figuresOf(pollOf(define('motion', [], settings), record), new Map([['yes', 3]]), true, 0);
  t.match(figures.verdict, {
    adopted: false,
    quorate: false,
    majority: [{ met: true }],
    quorum: [
      { when: 'open', part: '5', whole: '10', met: true },
      { when: 'close', part: '4', met: false },
    ],
  });
  t.match(figures.options[0], { key: 'yes', count: 3 }, 'the figures are kept although the quorum was missed');
  t.match(verdictOf({ majority: 'simple', quorum: { number: 3, count: 'cast' } }, { yes: 2, no: 1 }), {
    quorate: true,
    adopted: true,
    quorum: [{ number: 3, part: '3', whole: null, met: true }],
  });
  t.match(verdictOf({ quorum: { number: 4, count: 'cast' } }, { yes: 2, no: 1 }), { quorate: false });
  const stated = { entitled: { heads: 7 }, quorum: { share: '> 1/2', count: 'cast' } } as const;
  t.match(verdictOf(stated, { yes: 3 }), { quorate: false });
  t.match(verdictOf(stated, { yes: 4 }), { quorate: true });
});

t.test(
  'a majority of groups does not depend on whether groups are shown, and voters without a group do not count as a group',
  async (t) => {
    const tally = { 'yes|gx': 3, 'yes|gy': 3, 'no|gz': 9, no: 1 };
    const settings: Partial<Definition> = {
      byGroup: true,
      eligible: 'registered',
      majority: [{ share: '>= 2/3', of: 'valid', by: 'groups' }],
    };
    const expected = { adopted: true, majority: [{ part: '2', whole: '3', met: true }] };
    t.match(verdictOf(settings, tally), expected);
    t.match(verdictOf({ ...settings, secrecy: 'secret', visibility: 'closed' }, tally), expected);
  },
);

import fc from 'fast-check';
import t from 'tap';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { kindOf } from '../../../../core/voting/kinds/index.ts';
import type { Kind } from '../../../../core/voting/kinds/kind.ts';
import { define, parse } from '../../../support/kind.ts';
import { questionWith } from '../question.ts';

t.test('kinds: valid choices become canonical, and invalid choices are rejected with a reason', async (t) => {
  const [single, multiple, rating] = [{ kind: 'single' }, { kind: 'multiple' }, { kind: 'rating' }].map((of) =>
    kindOf(of as Definition),
  ) as [Kind, Kind, Kind];
  const one = questionWith({});
  t.equal(single.parse('b', one), 'b');
  t.equal(single.parse('B', one), 'b', 'a key in upper case is the same key');
  for (const text of ['d', 'a,b', '__proto__', 'constructor', ' ']) {
    t.same(single.parse(text, one), { rejected: 'unknown-option' }, JSON.stringify(text));
  }
  const many = questionWith({ kind: 'multiple', min: 1, max: 2 });
  t.equal(
    multiple.parse('c,a', many),
    'a,c',
    'a canonical choice lists options in the order of the poll, not in the order in which they were pressed',
  );
  t.equal(multiple.parse(' b ', many), 'b');
  t.same(multiple.parse('a,b,c', many), { rejected: 'too-many-options' });
  t.same(multiple.parse('a,b,c,a', many), { rejected: 'too-many-options' });
  t.same(multiple.parse('a,a', many), { rejected: 'duplicate-option' });
  t.same(multiple.parse('a,x', many), { rejected: 'unknown-option' });
  t.same(multiple.parse('a,', many), { rejected: 'unknown-option' });
  t.same(multiple.parse('a', questionWith({ kind: 'multiple', min: 2 })), { rejected: 'too-few-options' });
  const grade = questionWith({ kind: 'rating', options: [], min: -2, max: 2 });
  t.equal(rating.parse('+2', grade), '2');
  t.equal(rating.parse('-0', grade), '0');
  t.equal(rating.parse('007', questionWith({ kind: 'rating', options: [], min: 1, max: 9 })), '7');
  t.same(rating.parse('3', grade), { rejected: 'out-of-range' });
  for (const text of ['1.5', 'two', '1e1', '0x1', '٣', ''])
    t.same(rating.parse(text, grade), { rejected: 'not-a-number' });
});

t.test('kinds: parsing any text yields a choice or a reason, and parsing a choice yields the same choice', async () => {
  const definitions = [
    questionWith({}),
    questionWith({ kind: 'multiple' }),
    questionWith({ kind: 'rating', options: [], min: -5, max: 5 }),
  ];
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[abc,0-9 -]{0,12}$/));
  fc.assert(
    fc.property(text, fc.constantFrom(...definitions), (input, definition) => {
      const kind = kindOf(definition);
      const choice = kind.parse(input, definition);
      return typeof choice !== 'string' || kind.parse(choice, definition) === choice;
    }),
  );
});

t.test('choices of every kind are parsed, or rejected with a reason', async (t) => {
  const cases: [Definition, Record<string, string>][] = [
    [define('motion'), { y: 'yes', NO: 'no', a: 'abstain', maybe: 'unknown-option' }],
    [define('motion', [], { abstain: false }), { a: 'unknown-option' }],
    [define('multiple', ['a', 'b'], { none: true }), { none: 'none', 'a,none': 'unknown-option', 'b,a': 'a,b' }],
    [
      define('rating', [], { items: ['x', 'y'].map((key) => ({ key, label: key })) }),
      {
        '4,5': 'x:4,y:5',
        '-,5': 'y:5',
        'y:1,x:2': 'x:2,y:1',
        '-,-': 'too-few-options',
        '4': 'too-few-options',
        'x:9': 'out-of-range',
        'z:1': 'unknown-option',
        'x:1,x:2': 'duplicate-option',
        'x:a': 'not-a-number',
      },
    ],
    [
      define('numeric', [], { min: -1, max: 2, decimals: 2 }),
      {
        '1.50': '1.5',
        '+2': '2',
        '-0.0': '0',
        '-0.5': '-0.5',
        '1.234': 'too-many-digits',
        '2.01': 'out-of-range',
        '1,5': '1.5',
        '-0,50': '-0.5',
        '1,234': 'too-many-digits',
        '1,5,0': 'not-a-number',
        '1.0,5': 'not-a-number',
        ',5': 'not-a-number',
        '1, 5': 'not-a-number',
        NaN: 'not-a-number',
        '1e1': 'not-a-number',
      },
    ],
    [
      define('points', ['a', 'b'], { budget: 5, spend: 'all' }),
      {
        '2,3': 'a:2,b:3',
        'b:5': 'b:5',
        '2,2': 'under-budget',
        '3,3': 'over-budget',
        '-1,6': 'out-of-range',
        '0,0': 'under-budget',
      },
    ],
    [define('points', ['a', 'b'], { budget: 5 }), { 'a:1': 'a:1', '0,4': 'b:4', '0,0': 'under-budget' }],
    [
      define('ranking', ['a', 'b', 'c'], { min: 2 }),
      {
        bac: 'b>a>c',
        'b>a': 'b>a',
        'c, a': 'c>a',
        a: 'too-few-options',
        'a>a': 'duplicate-option',
        'a>x': 'unknown-option',
        'a>b>c>a': 'duplicate-option',
      },
    ],
    [define('score', ['a', 'b']), { '5,0': 'a:5,b:0', 'b:3': 'b:3', '6,0': 'out-of-range', '': 'too-few-options' }],
    [
      define('quiz', ['a', 'b', 'c'], { question: 'ordering', correct: ['c', 'b', 'a'] }),
      { cba: 'c>b>a', 'c>b': 'too-few-options', ccc: 'duplicate-option' },
    ],
    [
      define('quiz', [], { question: 'short', accept: ['x'] }),
      { ' Mary  SHELLEY ': 'mary shelley', ﬁne: 'fine', STRAẞE: 'strasse', 'a\u202eb': 'ab' },
    ],
    [
      define('text', [], { stop: ['Damn'], maxLength: 10, maxPhrases: 2 }),
      {
        'Great, GREAT': 'great',
        'Ａ；b': 'a,b',
        Straße: 'strasse',
        DAMN: 'stopped',
        'a,b,c': 'too-many-options',
        elevenchars: 'too-long',
        ' , ': 'empty',
        'x|y': 'x y',
        'da\u200bmn': 'stopped',
        'bell\u0007': 'malformed-text',
      },
    ],
  ];
  for (const [definition, texts] of cases)
    for (const [text, expected] of Object.entries(texts))
      t.equal(parse(definition, text), expected, `${definition.kind}: ${JSON.stringify(text)}`);
});

t.test('a key in upper or lower case is the same key, unless another option has it', async (t) => {
  const pairs = { 'A:2,B:1': 'a:2,b:1' };
  const cases: [Definition, Record<string, string>][] = [
    [define('single', ['a', 'B'], { none: true }), { A: 'a', b: 'B', NONE: 'none', '\u212a': 'unknown-option' }],
    [define('single', ['a', 'A']), { a: 'a', A: 'A' }],
    [define('single', ['ab', 'AB']), { ab: 'ab', AB: 'AB', Ab: 'unknown-option' }],
    [define('single', ['k', 'x']), { K: 'k', '\u212a': 'unknown-option' }],
    [define('multiple', ['a', 'b'], { none: true }), { 'B,a': 'a,b', 'a,A': 'duplicate-option', None: 'none' }],
    [define('rating', [], { items: ['a', 'b'].map((key) => ({ key, label: key })) }), pairs],
    [define('points', ['a', 'b'], { budget: 5 }), { ...pairs, 'a:1,A:1': 'duplicate-option' }],
    [define('score', ['a', 'b']), pairs],
    [define('ranking', ['a', 'b', 'C']), { BAc: 'b>a>C', 'B>A': 'b>a', 'a>A': 'duplicate-option' }],
    [define('quiz', ['a', 'b'], { correct: ['b'] }), { B: 'b' }],
    [define('quiz', ['a', 'b'], { question: 'multiple', correct: ['b'] }), { 'B,A': 'a,b' }],
    [define('quiz', ['a', 'b'], { question: 'ordering', correct: ['b', 'a'] }), { BA: 'b>a', 'B>a': 'b>a' }],
    [define('pulse', ['a', 'b']), { B: 'b' }],
    [define('motion'), { YES: 'yes', Abstain: 'abstain' }],
  ];
  for (const [definition, texts] of cases)
    for (const [text, expected] of Object.entries(texts))
      t.equal(parse(definition, text), expected, `${definition.kind}: ${JSON.stringify(text)}`);
});

import fc from 'fast-check';
import t from 'tap';
import { normalAnswer, normalPhrase } from '../../../../core/voting/kinds/choices/phrase.ts';
import { creditOf } from '../../../../core/voting/kinds/quiz/credit.ts';
import { define, parse, profile, resultOf } from '../../../support/kind.ts';

/** Code points as text, because invisible characters cannot be seen in a test. */
const at = (...points: number[]) => String.fromCodePoint(...points);
const [ZWNJ, ZWJ] = [0x200c, 0x200d];

t.test('joiners are kept where they change how a text looks', async (t) => {
  const texts = [
    'می\u200cخواهم',
    'خانه\u200cای',
    'ශ්\u200dරී ලංකා',
    'നന്\u200dമ',
    'അവന്\u200d',
    'क्\u200dष',
    'क्\u200cष',
    'র\u200d্যাম',
    'র\u200c্যাব',
    'کَ\u200cبِ',
  ];
  for (const text of texts) t.equal(normalPhrase(text), text, text);
});

t.test('emoji stay as they are drawn, and are the same with and without a variation selector', async (t) => {
  const emoji = [
    '👩‍💻',
    '❤️‍🔥',
    '🏳️‍🌈',
    '👁️‍🗨️',
    '🕵🏽‍♂️',
    '☝🏽',
    '☝️',
    '1️⃣',
    '👨‍👩‍👧‍👦',
    '🇩🇪',
    '🏴‍☠️',
    '🧔‍♂️',
    '👩🏽‍🦰',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    '🏴󠁧󠁢󠁳󠁣󠁴󠁿',
    '🏴󠁧󠁢󠁷󠁬󠁳󠁿',
  ];
  for (const text of emoji) {
    t.equal(normalPhrase(text), text, text);
    t.equal(normalPhrase(text.replaceAll('\ufe0f', '')), text, `${text} without a variation selector`);
  }
  t.equal(normalPhrase('©\ufe0f ®'), '© ®');
  t.equal(normalPhrase(`1${at(0xfe0f)}2`), '12');
});

t.test('invisible characters do not get a phrase past the stop list, and make no second phrase', async (t) => {
  const definition = define('text', [], { stop: ['damn', 'میخواهم', '❤'] });
  const invisible = [
    0xad,
    0x34f,
    0x61c,
    0x115f,
    0x1160,
    0x17b4,
    0x180b,
    0x180e,
    0x180f,
    0x200b,
    ZWNJ,
    ZWJ,
    0x200e,
    0x202e,
    0x2060,
    0x2064,
    0x2066,
    0x206f,
    0x3164,
    0xfe00,
    0xfe0e,
    0xfe0f,
    0xfeff,
    0xffa0,
    0xfff9,
    0xfffa,
    0xfffb,
    0x1bca0,
    0x1d173,
    0xe0001,
    0xe0064,
    0xe007f,
    0xe0100,
  ];
  for (const point of invisible) {
    const name = `U+${point.toString(16)}`;
    for (const text of [`da${at(point)}mn`, `${at(point)}DAMN`, `damn${at(point, point)}`, `d${at(ZWJ, point)}amn`]) {
      t.equal(parse(definition, text), 'stopped', name);
    }
    t.equal(parse(definition, `nice${at(point)}`), 'nice', name);
    t.equal(parse(definition, at(point)), 'empty', name);
  }
  t.equal(parse(definition, 'damn\u2800'), 'stopped');
  t.equal(parse(definition, 'می\u200cخواهم'), 'stopped');
  for (const heart of ['❤', '❤️', '❤︎']) t.equal(parse(definition, heart), 'stopped');
  t.equal(parse(definition, `${at(0x1f3f4, 0xe0064, 0xe007f)}`), at(0x1f3f4), 'a flag of no region');
});

t.test('a hidden phrase stays hidden in any spelling with joiners', async (t) => {
  const definition = define('text', [], { moderation: { hide: ['میخواهم'], merge: {} } });
  t.same(resultOf(definition, profile('2 می\u200cخواهم; 1 ok')).options.length, 1);
});

t.test('the normal form of a normal form is the same, whatever the text', async () => {
  const special = fc.constantFrom(
    ...'aé1*#|,❤☝👩💻🏴🇩ك هنൻ്ක්র্ɐßΣİ\u0301\u0345\u1112\u1161\u20e3'.split(''),
    ...[0xad, 0x34f, ZWNJ, ZWJ, 0xfe0f, 0x3164, 0x1f3fd, 0xe0067, 0xe007f, 0x2800, 0x1f469, 0x0d4d, 0x0dca, 0x06cc].map(
      (point) => at(point),
    ),
  );
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: special }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(text, (input) => {
      for (const normal of [normalPhrase, normalAnswer]) {
        const once = normal(input);
        if (once !== undefined && normal(once) !== once) return false;
      }
      return true;
    }),
    { numRuns: 3_000 },
  );
});

t.test('short answers are compared without case, width, script of digits and final punctuation', async (t) => {
  const same = [
    [
      'Mary Shelley',
      'MARY  SHELLEY.',
      'mary shelley!?',
      'Ｍａｒｙ Ｓｈｅｌｌｅｙ。',
      'mary shelley…',
      'mary shelley ۔',
    ],
    ['42', '٤٢', '۴۲', '४२', '４２', '𝟜𝟚', '42.', '๔๒'],
    ['नमस्ते', 'नमस्ते।'],
  ];
  for (const [accepted = '', ...answers] of same) {
    const definition = define('quiz', [], { question: 'short', accept: [accepted] });
    for (const answer of answers) t.equal(creditOf(parse(definition, answer), definition), 1, answer);
  }
  const punctuation = define('quiz', [], { question: 'short', accept: ['?', 'C++'] });
  t.equal(creditOf(parse(punctuation, '?'), punctuation), 1, 'an answer of nothing but punctuation is kept');
  t.equal(creditOf(parse(punctuation, 'c'), punctuation), 0, 'punctuation that belongs to a word is kept');
});

t.test('diacritics are ignored only if the quiz says so', async (t) => {
  const answers = [
    ['Zürich', 'zurich', 'ZÜRICH', 'Zu\u0308rich'],
    ['Łódź', 'lodz'],
    ['København', 'kobenhavn'],
    ['Citroën', 'citroen'],
  ];
  for (const [accepted = '', plain = '', ...others] of answers) {
    const settings = { question: 'short', accept: [accepted] } as const;
    const [strict, lenient] = [
      define('quiz', [], settings),
      define('quiz', [], { ...settings, ignoreDiacritics: true }),
    ];
    t.equal(creditOf(parse(strict, plain), strict), 0, plain);
    for (const answer of [accepted, plain, ...others]) t.equal(creditOf(parse(lenient, answer), lenient), 1, answer);
    t.equal(resultOf(lenient, profile(`1 ${plain}`)).options[0].correct, true, 'and so in the result');
  }
  const japanese = define('quiz', [], { question: 'short', accept: ['が'], ignoreDiacritics: true });
  t.equal(creditOf(parse(japanese, 'か'), japanese), 0, 'a voiced sound is another letter');
  t.throws(() => define('quiz', ['a', 'b'], { correct: ['a'], ignoreDiacritics: true }), /ignoreDiacritics/);
});

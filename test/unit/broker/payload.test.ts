import { encode as encodeCbor } from 'cborg';
import t from 'tap';
import { decodePayload } from '../../../broker/intake/payload.ts';
import { MAX_CHOICE_BYTES } from '../../../core/voting/count/cast.ts';
import { define, parse } from '../../support/kind.ts';

const choiceOf = (payload: Buffer | string) => {
  const paper = decodePayload(Buffer.from(payload));
  return 'rejected' in paper ? paper.rejected : paper.choice;
};

t.test('zero bytes at the end of a payload or of a text in it are dropped', async (t) => {
  for (const payload of [
    'a\0',
    'a\0\0\0',
    ' a\r\n\0',
    'a\0\n',
    '{"c":"a"}\0',
    '{"c":"a\\u0000"}\0\0',
    '{"c":["a\\u0000"]}',
  ]) {
    t.equal(choiceOf(payload), 'a', JSON.stringify(payload));
  }
  t.equal(choiceOf('\0\0'), 'empty');
  t.equal(choiceOf('a\0b'), 'a\0b', 'a zero byte inside a text is left to the parser of the kind, which rejects it');
  const cbor = (value: unknown) => Buffer.from(encodeCbor(value));
  t.equal(choiceOf(Buffer.concat([cbor({ c: 'a' }), Buffer.alloc(3)])), 'a');
  t.equal(choiceOf(cbor({ c: 'a\0' })), 'a');
  t.equal(choiceOf(cbor({ c: 0 })), '0', 'a zero byte that belongs to the value is kept');
  t.equal(choiceOf(Buffer.concat([cbor({ c: 0 }), Buffer.alloc(1)])), '0');
  t.equal(choiceOf(Buffer.concat([cbor({ c: 'a' }), cbor({ c: 'b' })])), 'malformed-cbor');
  t.match(decodePayload(Buffer.from('{"c":"a","m":"ann\\u0000"}')), { mandate: 'ann' });
});

t.test('a decimal comma makes a number, and a list of two numbers does not', async (t) => {
  const number = define('numeric', [], { min: 0, max: 10, decimals: 1 });
  for (const payload of ['3,5', '3.5', '{"c":"3,5"}', '{"c":3.5}', '3,5\0'])
    t.equal(parse(number, choiceOf(payload)), '3.5');
  for (const payload of ['{"c":[3,5]}', '{"c":["3","5"]}', '3,5,0']) {
    t.equal(parse(number, choiceOf(payload)), 'not-a-number', payload);
  }
  t.equal(
    parse(define('score', ['a', 'b']), choiceOf('3,5')),
    'a:3,b:5',
    'where a list is expected, a comma separates',
  );
});

t.test('the longest choice fits into a payload, however it is written', async (t) => {
  const long = 'x'.repeat(MAX_CHOICE_BYTES);
  const others = { n: 2 ** 53 - 1, t: 2 ** 53 - 1, r: 2 ** 53 - 1, m: 'm'.repeat(64) };
  t.equal(choiceOf(long), long);
  t.equal(choiceOf(JSON.stringify({ c: long, ...others })), long);
  const escaped = JSON.stringify({ c: '#'.repeat(MAX_CHOICE_BYTES / 2), ...others }).replaceAll('#', '\\u00e9');
  t.equal(choiceOf(escaped), 'é'.repeat(MAX_CHOICE_BYTES / 2));
  t.equal(choiceOf('x'.repeat(1_025)), 'too-large');
  t.equal(choiceOf(JSON.stringify({ c: 'x'.repeat(3_072) })), 'too-large');
});

t.test('decoding a payload never throws, whatever its bytes are', async (t) => {
  let state = 7;
  const random = () => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff);
  for (let i = 0; i < 50_000; i++) {
    const bytes = Buffer.from(Array.from({ length: random() % 24 }, () => random() >> 8));
    if (bytes.length > 0 && i % 2 === 0) bytes[0] = [0xa1, 0xbf, 0x7b, 0xb9][i % 4] as number;
    decodePayload(bytes);
  }
  t.same(decodePayload(Buffer.from('{"c":4.5}')), { choice: '4.5', n: undefined, t: undefined });
});

import t from 'tap';
import { parseProxyHeader } from '../../../broker/connection/wire/proxy-header.ts';

const V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const v2 = (rest: string) => Buffer.concat([V2, Buffer.from(rest.replaceAll(' ', ''), 'hex')]);
const V4 = v2('21 11 000c c0000201 0a000001 d431 075b');
const V6 = v2('21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 d431 075b');

t.test('headers of both versions, however they are split', async (t) => {
  const cases: [bytes: Buffer, address: string | undefined][] = [
    [Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 54321 1883\r\n'), '192.0.2.1'],
    [Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 54321 1883\r\n'), '2001:db8::1'],
    [Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    [Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n'), undefined],
    [V4, '192.0.2.1'],
    [V6, '2001:db8::1'],
    [v2('21 11 0010 c0000201 0a000001 d431 075b 04000161'), '192.0.2.1'],
    [v2('20 00 0000'), undefined],
    [v2('20 11 000c c0000201 0a000001 d431 075b'), undefined],
    [v2('21 00 0000'), undefined],
    [v2('21 31 0002 6162'), undefined],
  ];
  for (const [bytes, address] of cases) {
    t.same(parseProxyHeader(Buffer.concat([bytes, Buffer.from('rest')])), { length: bytes.length, address });
    for (let length = 0; length < bytes.length; length++) {
      t.equal(parseProxyHeader(bytes.subarray(0, length)), 'incomplete');
    }
  }
});

t.test('malformed headers', async (t) => {
  for (const bytes of [
    Buffer.from([0x10, 0x0c]),
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 54321\r\n'),
    Buffer.from('PROXY TCP4 2001:db8::1 10.0.0.1 54321 1883\r\n'),
    Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 65536 1883\r\n'),
    Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 -1 1883\r\n'),
    Buffer.from('PROXY UDP4 192.0.2.1 10.0.0.1 1 1883\r\n'),
    Buffer.from('PROXY TCP4 192.0.2.1  10.0.0.1 1 1883\r\n'),
    Buffer.from(`PROXY ${'x'.repeat(200)}`),
    v2('31 11 000c c0000201 0a000001 d431 075b'),
    v2('22 11 000c c0000201 0a000001 d431 075b'),
    v2('21 11 0004 c0000201'),
    v2('21 11 ffff'),
  ]) {
    t.equal(parseProxyHeader(bytes), 'malformed', bytes.toString('latin1'));
  }
});

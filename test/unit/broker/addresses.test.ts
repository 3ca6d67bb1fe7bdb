import t from 'tap';
import { inUrl } from '../../../core/runtime/host.ts';
import { describeAddress, parseAddress } from '../../../core/store/redis-address.ts';
import { identifierLike } from '../../../core/voting/rules/text/identifier.ts';

t.test('IPv6 addresses are in brackets where a port may follow', async (t) => {
  for (const [host, written] of [
    ['::1', '[::1]'],
    ['2001:db8::1', '[2001:db8::1]'],
    ['::ffff:10.0.0.7', '[::ffff:10.0.0.7]'],
    ['[::1]', '[::1]'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost'],
    ['<this machine>', '<this machine>'],
  ] as const) {
    t.equal(inUrl(host), written);
  }
  t.match(describeAddress(parseAddress('redis://[::1]:6379')), /\[::1\]:6379/);
});

t.test('an id that is not valid comes with one that is', async (t) => {
  for (const [id, instead] of [
    ['aa:bb:cc:dd:ee:ff', 'aa-bb-cc-dd-ee-ff'],
    ['hall/row.7/seat 12', 'hall-row-7-seat-12'],
    ['#', undefined],
    ['', undefined],
    ['ü', undefined],
    ['x'.repeat(65), undefined],
  ] as const) {
    t.equal(identifierLike(id), instead);
  }
});

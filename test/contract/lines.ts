import type { LineNotice } from '../../core/store/store.ts';
import { eventually } from '../support/eventually.ts';
import type { ContractTest } from './subject.ts';

/** The promises of `Lines`. */
export function linesContract(test: ContractTest): void {
  test('lines: each connection number is higher than the one before, also after a restart', async (t, store, under) => {
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => store.lines.claim(`d${i % 7}`, 'one')));
    const numbers = claims.map(({ number }) => number);
    t.ok(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number)));
    await store.close();
    const again = await under.open();
    t.ok((await again.lines.claim('d0', 'one')).number > (numbers[49] as number));
    await again.close();
  });

  test('lines: the newest connection of an id is known to all brokers until it is released', async (t, { lines }) => {
    const heard: LineNotice[] = [];
    const unlisten = await lines.listen((notice) => heard.push(notice));
    const first = await lines.claim('d', 'one');
    const second = await lines.claim('d', 'two');
    t.equal(first.before, undefined);
    const [one, two] = [
      { number: first.number, broker: 'one' },
      { number: second.number, broker: 'two' },
    ];
    t.same(second.before, one);
    await lines.release([['d', one]]);
    t.same(await lines.holders(['d', 'e']), [two, undefined], 'an older connection releases nothing');
    const all = [];
    for await (const line of lines.all()) all.push(line);
    t.same(all, [['d', two]]);
    await lines.tell({ is: 'gone', id: 'd', ...one });
    await lines.tell({ is: 'claim', id: 'd', ...two, before: one });
    await eventually('four notices', async () => (heard.length >= 4 ? true : undefined));
    // Notices may arrive in any order.
    t.same(
      sorted(heard),
      sorted([
        { is: 'claim', id: 'd', ...one, before: undefined },
        { is: 'claim', id: 'd', ...two, before: one },
        { is: 'gone', id: 'd', ...one },
        { is: 'claim', id: 'd', ...two, before: one },
      ]),
    );
    await lines.release([['d', two]]);
    t.same(await lines.holders(['d']), [undefined]);
    unlisten();
  });

  test('lines: many connections are released at once, except those of which there is a newer one', async (t, {
    lines,
  }) => {
    const ids = Array.from({ length: 1_201 }, (_, i) => `d${i}`);
    const claims = await Promise.all(ids.map((id) => lines.claim(id, 'one')));
    const ended = claims.map(({ number }, i) => [ids[i] as string, { number, broker: 'one' }] as const);
    const newer = await lines.claim('d600', 'two');
    await lines.release(ended);
    const left = [];
    for await (const line of lines.all()) left.push(line);
    t.same(left, [['d600', { number: newer.number, broker: 'two' }]]);
    await lines.release([]);
    await lines.release(ended);
    t.equal((await lines.holders(['d600']))[0]?.broker, 'two');
  });
}

function sorted(notices: readonly LineNotice[]): LineNotice[] {
  return [...notices].sort((a, b) => a.number - b.number || (a.is < b.is ? -1 : 1));
}

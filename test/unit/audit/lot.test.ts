import t from 'tap';
import { drawLot } from '../../../core/audit/lot.ts';

t.test(
  'a lot depends only on the seed and the options, not on their order, so anybody can repeat the draw',
  async (t) => {
    t.same(drawLot('2026-05-01', ['a', 'b', 'c', 'd']), drawLot('2026-05-01', ['d', 'c', 'b', 'a']));
    t.same(drawLot('x', ['a', 'b']), ['b', 'a'], 'sha256 of "x b" is 114d…, of "x a" 59b9…');
    const wins = new Map<string, number>();
    for (let seed = 0; seed < 900; seed++) {
      const [first = ''] = drawLot(String(seed), ['a', 'b', 'c']);
      wins.set(first, (wins.get(first) ?? 0) + 1);
    }
    t.ok(
      [...wins.values()].every((times) => times > 230 && times < 370),
      'each option is drawn first about equally often',
    );
  },
);

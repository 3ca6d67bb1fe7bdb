import { type DeviceEvent, KEPT_EVENTS, KEPT_TRAILS } from '../../core/store/trail.ts';
import type { ContractTest } from './subject.ts';

const event = (atMs: number): DeviceEvent => ({ atMs, what: 'refused', detail: 'secret' });

/** Tests of `Trails`. */
export function trailsContract(test: ContractTest): void {
  test('trails: the last events of each device are kept, oldest first', async (t, { trails }) => {
    t.same(await trails.of('nobody'), []);
    await trails.add(new Map([['d', [event(1), { atMs: 2, what: 'voted', detail: 'q accepted', times: 3 }]]]));
    await trails.add(
      new Map([
        ['d', [event(3)]],
        ['e', [event(4)]],
      ]),
    );
    t.same(await trails.of('d'), [event(1), { atMs: 2, what: 'voted', detail: 'q accepted', times: 3 }, event(3)]);
    t.same(await trails.of('e'), [event(4)]);
    await trails.add(new Map([['d', Array.from({ length: KEPT_EVENTS + 5 }, (_, i) => event(100 + i))]]));
    t.same(
      (await trails.of('d')).map(({ atMs }) => atMs),
      Array.from({ length: KEPT_EVENTS }, (_, i) => 105 + i),
    );
  });

  test('trails: those of the devices heard least recently are dropped', async (t, { trails }) => {
    await trails.add(new Map([['first', [event(1)]]]));
    await trails.add(new Map(Array.from({ length: KEPT_TRAILS }, (_, i) => [`d${i}`, [event(2)]])));
    await trails.add(new Map([['last', [event(3)]]]));
    t.same(await trails.of('first'), []);
    t.same(await trails.of('last'), [event(3)]);
  });
}

import t from 'tap';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { StoreAway, StoreRefusal } from '../../../core/store/error.ts';
import { forEach } from '../../../dashboards/api/routes/devices/together.ts';

const IDS = Array.from({ length: 20 }, (_, i) => `d${i}`);
const codes = (refused: readonly { readonly device: string; readonly code: string }[]) =>
  refused.map(({ device, code }) => `${device} ${code}`);

t.test(
  'after an error nothing else is begun, what was begun is finished, and all that was made is returned',
  async (t) => {
    for (const [thrown, code] of [
      [new StoreAway('away'), 'unknown'],
      [new StoreRefusal('full'), 'store-refuses'],
      [new Error('broken'), 'unknown'],
    ] as const) {
      const begun: string[] = [];
      const noted: string[] = [];
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      const all = forEach(IDS, {
        async work(device) {
          begun.push(device);
          if (device === 'd2') throw new Refusal('no-such-device', 'there is no such device');
          if (device === 'd3') await held;
          if (device === 'd4') throw thrown;
          return device;
        },
        onDone: (device) => noted.push(device),
        isOver: () => false,
      });
      await new Promise(setImmediate);
      t.same(begun, ['d0', 'd1', 'd2', 'd3', 'd4'], 'one goes on for a while, the other has failed');
      t.equal(await Promise.race([all, 'waits']), 'waits', 'the answer waits for the other one');
      release();
      const { done, refused, error } = await all;
      t.equal(error, thrown);
      t.same(begun.length, 5, 'no others are begun');
      t.same(done, ['d0', 'd1', 'd3']);
      t.same(noted.sort(), ['d0', 'd1', 'd3']);
      t.same(codes(refused), [
        'd2 no-such-device',
        `d4 ${code}`,
        ...IDS.slice(5).map((device) => `${device} not-begun`),
      ]);
    }
  },
);

t.test('once nobody waits for the answer, no others are begun', async (t) => {
  const begun: string[] = [];
  const { done, refused, error } = await forEach(IDS, {
    work: async (device) => {
      begun.push(device);
      return device;
    },
    onDone: () => {},
    isOver: () => begun.length >= 4,
  });
  t.same([begun.length, done.length, error], [4, 4, undefined]);
  t.same(
    refused.map(({ code }) => code),
    IDS.slice(4).map(() => 'not-begun'),
  );
});

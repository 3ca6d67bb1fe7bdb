import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { pathInCheckout } from '../../support/root.ts';

interface Order {
  readonly LONGEST: readonly string[];
  inOrder(files: readonly string[]): string[];
  nextOf(files: readonly string[], free: number, places: number): number;
  placesIn(file: string, places: number): number;
}

const { LONGEST, inOrder, nextOf, placesIn } = (await import(
  pathToFileURL(pathInCheckout('scripts/testing/order.mjs')).href
)) as Order;

const servers = (i: number) => `build/test/system/of-servers-${i}.test.js`;
const computing = (i: number) => `build/test/unit/that-computes-${i}.test.js`;
const many = Array.from({ length: 40 }, (_, i) => [servers(i), computing(i)]).flat();
const sorted = inOrder(many);

/** The order in which files begin that take a time each, and the most places taken at once. */
function begun(files: readonly string[], places: number, takes: (file: string) => number) {
  const [waiting, running, order] = [[...files], [] as { file: string; untilS: number }[], [] as string[]];
  let [free, nowS, most] = [places, 0, 0];
  for (;;) {
    for (let next = nextOf(waiting, free, places); next >= 0; next = nextOf(waiting, free, places)) {
      const [file] = waiting.splice(next, 1) as [string];
      order.push(file);
      free -= placesIn(file, places);
      running.push({ file, untilS: nowS + takes(file) });
    }
    most = Math.max(most, places - free);
    running.sort((a, b) => a.untilS - b.untilS);
    const ended = running.shift();
    if (!ended) return { order, most };
    nowS = ended.untilS;
    free += placesIn(ended.file, places);
  }
}

t.test('the files that take longest begin before all others, however many places they need', async (t) => {
  t.same(new Set(LONGEST.map((file) => placesIn(file, 6))), new Set([2, 3]));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
      (places, times) => {
        const { order, most } = begun(inOrder([...many, ...LONGEST]), places, () => times.next().value as number);
        t.same(order.slice(0, LONGEST.length), LONGEST);
        t.equal(order.length, many.length + LONGEST.length);
        t.ok(most <= places);
      },
    ),
    { numRuns: 50 },
  );
});

t.test('of the others, each begins that fits', async (t) => {
  t.equal(nextOf([computing(0), servers(0)], 2, 6), 1);
  t.equal(nextOf([computing(0), servers(0)], 3, 6), 0);
  t.equal(nextOf([computing(0)], 2, 6), -1);
  t.equal(nextOf([computing(0)], 1, 1), 0, 'a file takes no more places than there are');
  t.equal(nextOf([], 6, 6), -1);
  t.same(sorted, many);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openEmbeddedSessions } from '../../../core/store/embedded/sessions/sessions.ts';
import { EmbeddedSeries } from '../../../core/store/series/embedded.ts';
import { DAMAGES } from './filled.ts';

const topics = Array.from({ length: 200 }, (_, i) => ({ topic: `result/${'x'.repeat(i)}`, qos: 1 }));
const points = Array.from({ length: 2_000 }, (_, i) => ({
  measurement: 'votes' as const,
  tags: { poll: 'q', round: '1', partition: String(i) },
  fields: { received: i },
  atMs: i * 1_000,
}));

/** Files that Pollcast can do without, with something to fill them, and then open them again. */
const FILES = {
  'sessions.lmdb': async (directory: string, report: (message: string) => void) => {
    const { persistence, close } = await openEmbeddedSessions(directory, report);
    await persistence.addSubscriptions({ id: 'client' }, topics);
    for (let i = 0; i < 50; i++) {
      await persistence.storeRetained({ topic: `result/${i}`, payload: Buffer.alloc(i * 200, 'x') });
    }
    const found = (await persistence.subscriptionsByClient({ id: 'client' })).length;
    await close();
    return found;
  },
  'series.lmdb': async (directory: string, report: (message: string) => void) => {
    const series = await EmbeddedSeries.open(directory, report);
    await series.write(points);
    const found = await series.samples('q', 1, { fromMs: 0, toMs: 10_000_000, stepMs: 1_000 });
    await series.close();
    return found.length;
  },
};

for (const [name, use] of Object.entries(FILES)) {
  t.test(`${name}: a damaged file is moved aside, reported, and begun anew`, async (t) => {
    for (const [how, damage] of Object.entries(DAMAGES)) {
      await t.test(how, async (t) => {
        const directory = t.testdir();
        const path = join(directory, name);
        const reports: string[] = [];
        const report = (message: string) => void reports.push(message);
        const before = await use(directory, report);
        t.equal(await use(directory, report), before);
        t.same(reports, [], 'a sound file is not reported');
        damage(path);
        const damaged = readFileSync(path);
        t.equal(await use(directory, report), before);
        t.equal(reports.length, 1);
        t.match(reports[0], new RegExp(`^${name} is damaged: .* moved to ${path}\\.damaged-1`));
        t.same(readFileSync(`${path}.damaged-1`), damaged);
        writeFileSync(path, 'again');
        await use(directory, report);
        t.same(readFileSync(`${path}.damaged-1`), damaged, 'nothing is overwritten');
      });
    }
  });
}

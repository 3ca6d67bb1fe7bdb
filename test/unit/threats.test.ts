import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** The checkout, seen from the build folder. */
const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

t.test('every threat in SECURITY.md names a test that exists', async (t) => {
  const section = readFileSync(root('SECURITY.md'), 'utf8').split('## Threats')[1] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (threat|---)/.test(line));
  t.ok(rows.length > 30);
  for (const row of rows) {
    const [threat = '', , shownBy = ''] = row.slice(2).split(' | ');
    const [, title, path] = /\[(.+)\]\((test\/.+\.test\.ts)\)/.exec(shownBy) ?? [];
    t.ok(path !== undefined && existsSync(root(path)), threat);
    t.ok(title !== undefined && readFileSync(root(path ?? ''), 'utf8').includes(title), `${threat}: ${title}`);
  }
});

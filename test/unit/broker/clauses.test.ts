/** docs/MQTT.md names tests that exist, and every clause once. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pathInCheckout } from '../../support/root.ts';

/** Paths of tests in the table are relative to this folder. */
const TESTS = pathInCheckout('test/system/broker');
const text = readFileSync(pathInCheckout('docs/MQTT.md'), 'utf8');

for (const version of ['3.1.1', '5'] as const) {
  t.test(`MQTT ${version}`, async (t) => {
    const section = text.split(/^## /m).find((one) => one.startsWith(`MQTT ${version}\n`)) ?? '';
    const rows = [...section.matchAll(/^\| (\d[\d., -]*) \| .* \| (.*) \|$/gm)].map(([, clauses, here]) => ({
      clauses: clauses?.split(', ') ?? [],
      here: here ?? '',
    }));
    t.ok(rows.length > 50, `${rows.length} rows`);
    const clients = /concern clients only: (.*)\.$/m.exec(section)?.[1]?.split(', ') ?? [];
    const clauses = [...rows.flatMap((row) => row.clauses), ...clients];
    for (const clause of clauses) t.match(clause, /^\d+(\.\d+)+-\d+$/);
    t.same(
      clauses.filter((clause, i) => clauses.indexOf(clause) !== i),
      [],
      'no clause is listed twice',
    );
    for (const { clauses, here } of rows) {
      const [status] = /^(held|not offered|open)/.exec(here) ?? [];
      t.ok(status, `${clauses}: held, not offered, or open`);
      const named = [...here.matchAll(/`([\w/.-]+\.test\.ts)` “([^”]+)”/g)];
      // What is open names tests that are still to come.
      if (status === 'open') continue;
      if (status === 'held') t.ok(named.length > 0, `${clauses}: a test is named`);
      for (const [, file = '', title = ''] of named) {
        const path = join(TESTS, file);
        if (!existsSync(path)) t.fail(`${clauses}: there is no ${file}`);
        else t.ok(readFileSync(path, 'utf8').includes(title), `${clauses}: ${file} has “${title}”`);
      }
    }
  });
}

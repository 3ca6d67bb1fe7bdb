import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { percentile, putInto, reportOf } from '../../../bench/attacks/report.ts';
import { eventually } from '../../support/eventually.ts';
import { pathInCheckout } from '../../support/root.ts';
import { isRunning } from '../../support/running.ts';

const upTo = (most: number) => Array.from({ length: 100 }, (_, i) => ((i + 1) * most) / 100);
const witnessed = (most: number) => ({ votesMs: upTo(most), operatorMs: [1, 2, 3], operatorRefused: 0, lost: 0 });

t.test('the table says what is above the aim', async (t) => {
  t.equal(percentile(upTo(100), 0.99), 100);
  t.equal(percentile(upTo(100), 0.5), 51);
  t.same(percentile([], 0.5), Number.NaN);
  const shares = { attackerShare: 0.5, serverShare: 0.75, turnMs: 4, memory: 200 };
  const one = { ...witnessed(6), title: 'one attack', beside: witnessed(5), ...shares };
  const other = { ...witnessed(10), title: 'another', beside: witnessed(9), ...shares, operatorRefused: 2 };
  const quiet = { ...witnessed(5), turnMs: 1, memory: 100 };
  const report = reportOf(quiet, [one, other], 'Two cores.');
  t.match(report, /^Two cores\.\n\n\| attack \|/);
  t.match(report, '| none | 2.5 ms | 5.0 ms | 1.0 × |');
  t.match(
    report,
    '| one attack | 3.1 ms | 6.0 ms | 1.2 × | 5.0 ms | 4.0 ms | 3 of 3 | 3.0 ms | 0 | 0.50, 0.75 | 200 MiB |',
  );
  t.match(report, '| another | 5.1 ms | 10.0 ms | 2.0 × | 9.0 ms | 4.0 ms | 3 of 5 |');
  t.match(report, /2 × its quiet value or more under: another\.$/);
  t.match(reportOf(quiet, [one], ''), /below 2 × its quiet value under every attack\.$/);
});

t.test('the table goes where the document has a place for it', async (t) => {
  const file = join(t.testdir(), 'LIMITS.md');
  const [begin, end] = ['<!-- npm run bench:attacks: begin -->', '<!-- npm run bench:attacks: end -->'];
  writeFileSync(file, `before\n\n${begin}\n\nold\n\n${end}\n\nafter\n`);
  putInto(file, 'new');
  t.equal(readFileSync(file, 'utf8'), `before\n\n${begin}\n\nnew\n\n${end}\n\nafter\n`);
  writeFileSync(file, 'nothing');
  t.throws(() => putInto(file, 'new'), /has no place/);
});

for (const [name, ...args] of [
  ['burner', '1'],
  ['burner', '0.5'],
  ['attacker', 'silent', '1'],
] as const) {
  t.test(`a killed benchmark leaves no process behind: ${name} ${args[0]}`, async (t) => {
    const child = pathInCheckout(`build/bench/attacks/${name}.child.js`);
    const fork = `require('node:child_process').fork(${JSON.stringify(child)}, [...${JSON.stringify(args)}, process.pid])`;
    const bench = spawn(process.execPath, ['-e', `console.log(${fork}.pid)`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = await new Promise<number[]>((resolve) =>
      createInterface(bench.stdout).once('line', (line) => resolve([Number(line)])),
    );
    t.teardown(() => pid !== undefined && isRunning(pid) && process.kill(pid, 'SIGKILL'));
    bench.kill('SIGKILL');
    t.ok(await eventually('its end', async () => (isRunning(pid as number) ? undefined : true)));
  });
}

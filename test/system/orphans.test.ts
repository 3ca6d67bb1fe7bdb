import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { pathInCheckout } from '../support/root.ts';
import { isRunning } from '../support/running.ts';

const CHILD = pathInCheckout('build/test/system/orphans.child.js');
/** The number of programs: pollcast, Redis, InfluxDB, Chromium, and the reaper that kills them. */
const PROGRAMS = 5;
const LIMIT_MS = 5_000;

for (const [who, command, args] of [
  ['a killed test', process.execPath, []],
  // Because a second command follows, the shell runs the test as a child instead of replacing itself with it.
  ['a test whose runner is killed', 'sh', ['-c', '"$0" "$@"; true', process.execPath]],
] as const) {
  t.test(`${who} leaves no processes behind`, async (t) => {
    const killed = spawn(command, [...args, CHILD, t.testdir()], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pids: number[] = [];
    for await (const line of createInterface(killed.stdout)) {
      if (line === 'all there') break;
      pids.push(Number(line));
    }
    t.equal(pids.length, PROGRAMS);
    t.ok(pids.every(isRunning));
    killed.kill('SIGKILL');
    const startMs = Date.now();
    await eventually('all processes to end', async () => (pids.some(isRunning) ? undefined : true));
    t.ok(Date.now() - startMs < LIMIT_MS, `all processes ended within ${Date.now() - startMs} ms`);
  });
}

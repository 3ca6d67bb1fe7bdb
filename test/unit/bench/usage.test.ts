import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import t from 'tap';
import { cpuMsOf, memoryOf, parseStat } from '../../../bench/processes/usage.ts';

t.test('the fields of /proc/PID/stat are found after a name with spaces and brackets', async (t) => {
  const rest = 'S 42 1 1 0 -1 4194304 900 800 0 0 150 50 30 20 20 0 11 0 123 456 789';
  t.same(parseStat(`7 (a) (strange) name) ${rest}`), { parent: 42, cpuMs: 2_500 });
  t.same(parseStat(`7 (node) ${rest}`), { parent: 42, cpuMs: 2_500 });
});

const skip = !existsSync('/proc/self/stat') && 'the benchmarks need the /proc of Linux';

t.test('the CPU time of this process is what Node.js says', { skip }, async (t) => {
  const { user, system } = process.cpuUsage();
  const before = cpuMsOf([process.pid]);
  t.ok(before >= (user + system) / 1_000 - 50, `${before} ms, after ${user + system} µs`);
  const endUs = user + system + 200_000;
  for (let used = 0; used < endUs; ) {
    const now = process.cpuUsage();
    used = now.user + now.system;
  }
  t.ok(cpuMsOf([process.pid]) - before >= 100);
});

t.test('children count as long as they run, and grandchildren do, too', { skip }, async (t) => {
  const burn = 'const endUs = 300_000; while (process.cpuUsage().user < endUs);';
  const inner = `${burn} console.log("burnt"); setInterval(() => {}, 1000);`;
  const outer = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(inner)}], { stdio: ["ignore", "inherit", "inherit"] });`;
  const child = spawn(process.execPath, ['-e', outer], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  t.teardown(() => process.kill(-(child.pid as number), 'SIGKILL'));
  await once(child.stdout, 'data');
  t.ok(cpuMsOf([child.pid as number]) >= 250);
  t.ok(memoryOf([child.pid as number]) > 20, 'two Node.js processes need more than 20 MiB');
  t.equal(cpuMsOf([2 ** 22 + 1]), 0, 'a process that does not exist has used nothing');
});

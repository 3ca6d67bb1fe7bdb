// `npm test`: installs what tests need, then lint, types, dependency directions, unused code, all tests.
// Ends with a line "N passed, N failed" from the test runner's own result.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, prepare, ROOT, run } from './prepare.mjs';

/** Debian packages that tests use, and the command of each that shows it is there. */
const PROGRAMS = { chromium: 'chromium', 'mosquitto-clients': 'mosquitto_pub' };

const bin = (name) => join(ROOT, 'node_modules', '.bin', name);
const startedAt = Date.now();

prepare();
installPrograms();
step('lint and format', bin('biome'), ['check', '--error-on-warnings', '.']);
step('types of the pages', bin('tsc'), ['-p', join('dashboards', 'web')]);
step('dependency directions', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', '.']);
step('unused code', bin('knip'), []);
await tests(process.argv.slice(2));

function step(name, command, args) {
  console.log(`\n— ${name}`);
  run(command, args);
}

function installPrograms() {
  const missing = Object.entries(PROGRAMS).filter(([, program]) => !isThere(program));
  if (missing.length === 0) return;
  const packages = missing.map(([name]) => name).join(' ');
  const isDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isDebian) {
    fail(
      `the tests need ${missing.map(([, program]) => program).join(' and ')}; on Debian or Ubuntu: sudo apt-get install ${packages}`,
    );
  }
  console.error(`pollcast: installing ${packages} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env });
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages.split(' ')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function isThere(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/** Runs tap on the compiled tests and counts its assertions from the report it writes. */
async function tests(files) {
  console.log('\n— tests');
  const report = join(ROOT, 'build', 'test-report.tap');
  rmSync(report, { force: true });
  const args = ['run', '--disable-coverage', '--reporter=terse', `--output-file=${report}`, ...files];
  const child = spawn(bin('tap'), args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface(child.stdout).on('line', (line) => console.log(line));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const { passed, failed } = count(existsSync(report) ? readFileSync(report, 'utf8') : '');
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = code === 0 && failed === 0 && passed > 0 ? 0 : 1;
}

/** Assertions in a TAP report: its indented "ok" and "not ok" lines that are not sums of others. */
function count(tap) {
  let [passed, failed] = [0, 0];
  let before = '';
  for (const line of tap.split('\n')) {
    const [, indent, not] = /^(\s*)(not )?ok \d+/.exec(line) ?? [];
    if (indent === undefined) {
      if (line.trim() !== '') before = line;
      continue;
    }
    // A line that closes a subtest follows that subtest's plan, which is indented deeper.
    const isSum = /^\s*(# |1\.\.)/.test(before) && /^\s*/.exec(before)[0].length > indent.length;
    if (!isSum && not) failed++;
    if (!isSum && !not) passed++;
    before = line;
  }
  return { passed, failed };
}

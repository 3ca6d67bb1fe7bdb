// `npm test`: installs what tests need, then lint, types, dependency directions, unused code, all tests.
// Ends with a line "N passed, N failed" from the test runner's own result.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

/** Runs tap on the compiled tests; shows a line per test as it ends, and at the end all of what failed. */
async function tests(files) {
  console.log('\n— tests');
  const child = spawn(bin('tap'), ['run', '--disable-coverage', '--reporter=tap', ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failures = [];
  let [passed, failed] = [0, 0];
  let isFailure = false;
  createInterface(child.stdout).on('line', (line) => {
    if (/^( {4})?(not )?ok /.test(line)) console.log(line);
    if (/^ *(not )?ok |^ *# Subtest/.test(line)) isFailure = /^ *not ok /.test(line);
    if (isFailure) failures.push(line);
    // tap's own sum; figures that are zero are left out.
    const sum = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line);
    if (sum) [passed, failed] = [Number(sum[1] ?? 0), Number(sum[2] ?? 0)];
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (failures.length > 0) console.log(`\n— what failed\n${failures.join('\n')}`);
  if (code !== 0 && failed === 0) failed = 1;
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

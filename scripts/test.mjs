// `npm test`: installs what tests need, then lint, types, dependency directions, unused code, all tests.
// Ends with a line "N passed, N failed" from the test runner's own result.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, prepare, ROOT, run } from './prepare.mjs';
import { runTests } from './tap.mjs';

/** Debian packages that tests use, and the command of each that shows it is there. */
const PROGRAMS = {
  chromium: 'chromium',
  haproxy: 'haproxy',
  influxdb: 'influxd',
  'mosquitto-clients': 'mosquitto_pub',
  prometheus: 'prometheus',
  'redis-server': 'redis-server',
};

const bin = (name) => join(ROOT, 'node_modules', '.bin', name);
const startedAt = Date.now();

prepare();
installPrograms();
step('lint and format', bin('biome'), ['check', '--error-on-warnings', '.']);
step('types of the pages', bin('tsc'), ['-p', join('dashboards', 'web')]);
step('dependency directions', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', '.']);
step('unused code', bin('knip'), []);
console.log('\n— tests');
const { passed, failed } = await runTests(process.argv.slice(2));
console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

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
  // The tests start servers of their own: what is installed here must not start as a service (RUNLEVEL 1).
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  run('apt-get', ['update', '-qq'], { env });
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages.split(' ')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function isThere(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

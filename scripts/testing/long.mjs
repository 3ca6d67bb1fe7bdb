// `npm run test:long`: everything that takes longer than `npm test` may. Draws lots in 10,000 polls, sends mutated packets over
// 100,000 connections, revokes 200 devices, guests, operators and certificates, cuts the power at thousands of moments, kills and
// stops one process 20 times, and puts a whole deployment through all failures 3 times. CHAOS_ROUNDS overrides these numbers of
// rounds; CHAOS_SEED repeats an earlier run. Then it simulates deployments for SIMULATED_HOURS, and shows that the simulation finds
// planted bugs.
import { spawnSync } from 'node:child_process';
import { prepare, ROOT } from '../prepare.mjs';
import { testArguments, testEnvironment, WITH_PARENT } from './test-file.mjs';

const { SIMULATED_HOURS = '300' } = process.env;
/** Time limit in s of a test file that sets none. */
const LIMIT_S = 7_200;

prepare();
test('unit/voting/kinds/rankings/ties.test', { TIE_POLLS: '10000' });
test('system/broker/connection/mutants.test', { POLLCAST_MUTANTS: '100000' });
test('system/power/power.test', { POWER_ENTRIES: '150' });
test('system/devices/revoking.test', { POLLCAST_REVOCATIONS: '200' });
for (const [name, rounds] of Object.entries({ kill: 20, stopping: 20, cluster: 3 })) {
  test(`system/${name}.test`, { CHAOS_ROUNDS: String(rounds) });
}
run([WITH_PARENT, 'build/test/simulation/simulate.js', '--hours', SIMULATED_HOURS]);
test('simulation/planted/planted');

/** Runs a test file. @param settings environment variables, unless they are already set */
function test(file, settings) {
  run(testArguments(`build/test/${file}.js`), { ...testEnvironment(LIMIT_S), ...settings, ...process.env });
}

function run(args, env = process.env) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
}

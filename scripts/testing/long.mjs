// `npm run test:long`: runs the kill tests many times: 20 rounds with one process, and 3 rounds of all failures with a whole
// deployment. CHAOS_ROUNDS overrides both numbers; CHAOS_SEED repeats an earlier run. Then it simulates deployments for
// SIMULATED_HOURS, and shows that the simulation finds planted bugs.
import { spawnSync } from 'node:child_process';
import { prepare, ROOT } from '../prepare.mjs';
import { TAP } from './tap.mjs';

prepare();
const ties = spawnSync(
  process.execPath,
  [...TAP, '--timeout=3600', 'build/test/unit/voting/kinds/rankings/ties.test.js'],
  {
    cwd: ROOT,
    env: { TIE_POLLS: '10000', ...process.env },
    stdio: 'inherit',
  },
);
process.exitCode ||= ties.status ?? 1;
const { SIMULATED_HOURS = '300' } = process.env;
const simulations = [
  ['build/test/simulation/simulate.js', '--hours', SIMULATED_HOURS],
  [...TAP, '--timeout=7200', 'build/test/simulation/planted/planted.js'],
];
for (const args of simulations) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
}
const runs = { kill: 20, cluster: 3 };
for (const [test, rounds] of Object.entries(runs)) {
  const env = { CHAOS_ROUNDS: String(rounds), ...process.env };
  const args = [...TAP, '--timeout=3600', `build/test/system/${test}.test.js`];
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
}

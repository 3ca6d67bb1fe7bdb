// `npm run test:long`: runs the kill tests many times: 20 rounds with one process, and 3 rounds of all failures with a whole
// deployment. CHAOS_ROUNDS overrides both numbers; CHAOS_SEED repeats an earlier run. Before that, draws lots in 10,000 polls, and
// sends mutated packets over 100,000 connections.
import { spawnSync } from 'node:child_process';
import { prepare, ROOT } from '../prepare.mjs';
import { TAP } from './tap.mjs';

prepare();
run('unit/voting/kinds/rankings/ties', { TIE_POLLS: '10000' });
run('system/broker/connection/mutants', { POLLCAST_MUTANTS: '100000' });
for (const [test, rounds] of Object.entries({ kill: 20, cluster: 3 })) {
  run(`system/${test}`, { CHAOS_ROUNDS: String(rounds) });
}

/** Runs a test file. @param settings environment variables, unless they are already set */
function run(test, settings) {
  const args = [...TAP, '--timeout=3600', `build/test/${test}.test.js`];
  const env = { ...settings, ...process.env };
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
}

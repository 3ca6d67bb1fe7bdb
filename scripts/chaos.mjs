// `npm run test:chaos`: the kill tests, often: one process 20 times, a whole deployment 3 times through all troubles.
// CHAOS_SEED is accepted back; CHAOS_ROUNDS sets both numbers.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

prepare();
const runs = { kill: 20, cluster: 3 };
for (const [test, rounds] of Object.entries(runs)) {
  const env = { CHAOS_ROUNDS: String(rounds), ...process.env };
  const args = ['run', '--disable-coverage', '--reporter=tap', '--timeout=3600', `build/test/system/${test}.test.js`];
  const { status } = spawnSync(join(ROOT, 'node_modules', '.bin', 'tap'), args, { cwd: ROOT, env, stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
}

// `npm run test:chaos`: the kill tests, often. CHAOS_ROUNDS and CHAOS_SEED are accepted back.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

prepare();
const env = { CHAOS_ROUNDS: '20', ...process.env };
const args = ['run', '--disable-coverage', '--reporter=tap', 'build/test/system/kill.test.js'];
const { status } = spawnSync(join(ROOT, 'node_modules', '.bin', 'tap'), args, { cwd: ROOT, env, stdio: 'inherit' });
process.exitCode = status ?? 1;

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { BUGS } from './bugs.ts';
import { copyWith } from './copy.ts';

/** How many hours are simulated at most to find a bug. */
const HOURS = 40;
/** How long each seed runs at most. */
const MINUTES = 12;
/** The first seed, so that everybody sees the same figures. */
const FROM = 1;

// One after another, so that the times mean something.
t.jobs = 1;
t.setTimeout(3_600_000);

for (const bug of BUGS) {
  t.test(`the simulation finds a planted bug: ${bug.name}`, async (t) => {
    const { folder, remove } = copyWith(bug);
    t.teardown(remove);
    const program = join(folder, 'test', 'simulation', 'simulate.js');
    const args = [program, '--hours', String(HOURS), '--from', String(FROM), '--minutes', String(MINUTES)];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    t.equal(status, 1, stdout);
    const lines = stdout.split('\n');
    for (const line of lines.filter((one) => /simulated hours|^again:|^found|⇒|^\(/.test(one))) t.comment(line);
    t.match(stdout, /again: npm run simulate -- --seed \d+/, 'a command repeats the run');
  });
}

// `npm run coverage`: prints the unit test coverage of each source folder. It is for information only; there is no threshold.
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bin, compile, ROOT, run } from '../prepare.mjs';

const REPORT = join(ROOT, 'build', 'coverage');
const FIGURES = ['lines', 'branches', 'functions'];
/** All files in these folders count, even if no test loads them. Pages are excluded, because unit tests load none of them. */
const FOLDERS = ['app', 'broker', 'cli', 'client', 'core', 'dashboards', 'devices-sim', 'processors'];

compile();
rmSync(REPORT, { recursive: true, force: true });
const sources = FOLDERS.flatMap((folder) => ['--include', `${folder}/**/*.ts`, '--include', `build/${folder}/**/*.js`]);
const flags = ['--all', '--exclude-after-remap', '--exclude', 'dashboards/pages', '--reports-dir', REPORT];
const tests = [process.execPath, join('scripts', 'testing', 'suite.mjs'), 'unit', ...process.argv.slice(2)];
run(bin('c8'), [...flags, ...sources, '--reporter', 'json-summary', ...tests]);

const { total, ...files } = JSON.parse(readFileSync(join(REPORT, 'coverage-summary.json'), 'utf8'));
const folders = new Map();
for (const [file, figures] of Object.entries(files)) {
  const folder = dirname(relative(ROOT, file));
  const sum = folders.get(folder) ?? Object.fromEntries(FIGURES.map((figure) => [figure, { covered: 0, total: 0 }]));
  for (const figure of FIGURES) {
    sum[figure].covered += figures[figure].covered;
    sum[figure].total += figures[figure].total;
  }
  folders.set(folder, sum);
}
console.log(`\n${'covered, %'.padEnd(28)}${FIGURES.map((figure) => figure.padStart(11)).join('')}`);
for (const [folder, figures] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) print(folder, figures);
print('all', total);

function print(name, figures) {
  const percent = ({ covered, total }) => (total === 0 ? '–' : ((covered / total) * 100).toFixed(1)).padStart(11);
  console.log(`${name.padEnd(28)}${FIGURES.map((figure) => percent(figures[figure])).join('')}`);
}

/**
 * `npm run bench`: compares Pollcast with other brokers. In each round, each is started, measured and stopped in turn, under the
 * same load from a generator in C. The medians of all rounds are drawn, and printed as tables for docs/PERFORMANCE.md.
 *
 *   --quick              one short round of the most important comparisons, in two minutes
 *   --only "redis;nats"  only contenders whose names contain one of these
 *   --load "window 20"   only loads whose names contain one of these
 *   --svg FILE           where to draw; by default docs/performance.svg if everything was measured, or build/performance.svg
 *
 * BENCH_ROUNDS sets the number of rounds, which is 5 by default.
 */

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chartSvg, chartText } from './chart.ts';
import type { Contender } from './contenders.ts';
import { compileGenerator } from './generator/generator.ts';
import { aimsTable } from './measuring/aims.ts';
import { type Measured, measure, measuredOrReported } from './measuring/measure.ts';
import { Progress } from './measuring/progress.ts';
import { comparisonCharts, comparisonTables } from './measuring/tables.ts';
import { COMPARISONS, type Comparison, QUICK } from './measuring/workloads.ts';

/** `--quick` ends after this time (s), with what has been measured by then. */
const QUICK_SECONDS = 115;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    load: { type: 'string' },
    svg: { type: 'string' },
  },
});
const rounds = Number(process.env.BENCH_ROUNDS ?? (values.quick ? 1 : 5));
const timing = values.quick ? { warmUpSeconds: 1, seconds: 1.5 } : { warmUpSeconds: 2, seconds: 4 };
const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

process.once('uncaughtException', ({ message }) => {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(1);
});
compileGenerator();
const results = new Map<Comparison, Map<string, Measured[]>>();
for (const comparison of wanted()) {
  results.set(comparison, new Map(comparison.contenders.map(({ name }) => [name, []])));
}
await measureAll();
report();

/** All comparisons, without contenders that were not asked for, or whose programs are missing. */
function wanted(): Comparison[] {
  const missing = new Set<Contender>();
  const isWanted = (contender: Contender) => {
    if (!matches(contender.name, values.only)) return false;
    if (!contender.isInstalled) missing.add(contender);
    return contender.isInstalled;
  };
  const found = (values.quick ? QUICK : COMPARISONS)
    .filter(({ name }) => matches(name, values.load))
    .map((comparison) => ({ ...comparison, contenders: comparison.contenders.filter(isWanted) }))
    .filter(({ contenders }) => contenders.length > 0);
  for (const { name, packageName } of missing) {
    process.stderr.write(`${name}: left out; on Debian or Ubuntu, run: sudo apt-get install ${packageName}\n`);
  }
  return found;
}

/** Whether a name contains one of the texts in a list that is separated by semicolons; without a list, all names do. */
function matches(name: string, list: string | undefined): boolean {
  return list === undefined || list.split(';').some((text) => name.toLowerCase().includes(text.trim().toLowerCase()));
}

async function measureAll(): Promise<void> {
  const comparisons = [...results.keys()];
  const steps = rounds * comparisons.reduce((sum, { contenders }) => sum + contenders.length, 0);
  const progress = new Progress(steps, values.quick ? QUICK_SECONDS : undefined);
  for (let round = 1; round <= rounds; round++) {
    for (const comparison of comparisons) {
      for (const contender of comparison.contenders) {
        if (!progress.next(`round ${round} of ${rounds}, ${comparison.name}: ${contender.name}`)) return;
        const run = await measuredOrReported(() => measure(contender, comparison, timing));
        results.get(comparison)?.get(contender.name)?.push(run);
      }
    }
  }
}

function report(): void {
  for (const [comparison, measured] of results) {
    for (const [name, runs] of measured) if (runs.length === 0) measured.delete(name);
    if (measured.size === 0) results.delete(comparison);
  }
  const charts = comparisonCharts(results);
  const machine = `Node ${process.versions.node}, ${cpus().length} cores, load generated on the same machine`;
  const note = `${rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`}${values.quick ? ' of --quick' : ''}; ${machine}.`;
  console.log(`\n${chartText(charts)}\n\n${comparisonTables(results)}\n\n### Aims\n\n${aimsTable(results)}\n\n${note}`);
  // Only a complete run replaces the picture in the documentation.
  const isComplete = !values.quick && values.only === undefined && values.load === undefined;
  const picture = values.svg ?? path(isComplete ? 'docs/performance.svg' : 'build/performance.svg');
  writeFileSync(picture, chartSvg(charts, 'Pollcast compared with other brokers', note));
  console.log(`Drawn to ${relative(process.cwd(), picture)}`);
}

/**
 * `npm run bench:growth`: how the cost of a vote grows with devices, polls, options, viewers and partitions, and what a vote
 * costs in Redis. The figures in docs/SCALING.md come from it.
 *
 *   --quick                  one short round with fewer values, in two minutes; otherwise, 15 minutes are the limit
 *   --only "polls;in Redis"  only what contains one of these in its name
 *   --svg FILE               where to draw; by default docs/growth.svg if everything was measured, or build/growth.svg
 *
 * BENCH_ROUNDS sets the number of rounds, which is 3 by default.
 */

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { shown } from './chart.ts';
import { compileGenerator } from './generator/generator.ts';
import { type Axis, axes, type Point } from './growth/axes.ts';
import { type Plot, plotsSvg } from './growth/plots.ts';
import { redisCosts } from './growth/redis-costs.ts';
import { measureScreen } from './growth/screen.ts';
import { type Measured, measure, measuredOrReported } from './measuring/measure.ts';
import { Progress } from './measuring/progress.ts';
import { median } from './measuring/statistics.ts';
import { markdownTable } from './measuring/tables.ts';

/** When to leave out what is left (s). What a vote costs in Redis is measured first, and takes up to two minutes. */
const [LIMIT_SECONDS, QUICK_SECONDS] = [13 * 60, 90];

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, svg: { type: 'string' } },
});
const rounds = Number(process.env.BENCH_ROUNDS ?? (values.quick ? 1 : 3));
const timing = values.quick ? { warmUpSeconds: 1, seconds: 1.5 } : { warmUpSeconds: 2, seconds: 3 };
const words = values.only?.toLowerCase().split(';');
const isWanted = (name: string) => !words || words.some((word) => name.toLowerCase().includes(word.trim()));

process.once('uncaughtException', ({ message }) => {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(1);
});
compileGenerator();
const wanted = axes(values.quick).filter(({ name }) => isWanted(name));
const measured = new Map<Point, Measured[]>(wanted.flatMap(({ points }) => points.map((point) => [point, []])));
for (const { name, points } of wanted) {
  const missing = points.find(({ contender }) => !contender.isInstalled)?.contender;
  if (!missing) continue;
  const install = `on Debian or Ubuntu, run: sudo apt-get install ${missing.packageName}`;
  process.stderr.write(`${name}: left out, because ${missing.name} needs another program; ${install}\n`);
}
if (isWanted('costs in Redis')) {
  process.stderr.write('what a vote costs in Redis …\n');
  console.log(`### What a vote costs in Redis\n\n${await redisCosts(values.quick ? 20_000 : 100_000)}`);
}
await measureAll();
report();

async function measureAll(): Promise<void> {
  const all = wanted.flatMap((axis) =>
    axis.points.filter(({ contender }) => contender.isInstalled).map((point) => ({ axis, point })),
  );
  const progress = new Progress(rounds * all.length, values.quick ? QUICK_SECONDS : LIMIT_SECONDS);
  for (let round = 1; round <= rounds; round++) {
    for (const { axis, point } of all) {
      if (!progress.next(`round ${round} of ${rounds}, ${axis.name}: ${shown(point.value)}`)) return;
      const { contender, workload, flags, prepare, viewers } = point;
      const options = { ...timing, ...(flags ? { flags } : {}), ...(prepare ? { prepare } : {}) };
      const run = await measuredOrReported(() =>
        viewers === undefined ? measure(contender, workload, options) : measureScreen(point, options),
      );
      measured.get(point)?.push(run);
    }
  }
}

function report(): void {
  const plots: Plot[] = [];
  for (const { points, ...axis } of wanted) {
    const known = { ...axis, points: points.filter((point) => measured.get(point)?.length) };
    if (known.points.length === 0) continue;
    const plot = plotOf(known);
    plots.push(plot);
    console.log(`\n${tableOf(known, plot)}`);
  }
  const machine = `Node ${process.versions.node}, ${cpus().length} cores, load generated on the same machine`;
  const note = `${rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`}${values.quick ? ' of --quick' : ''}; ${machine}.`;
  console.log(`\n${note}`);
  // Only a complete run replaces the picture in the documentation.
  const isComplete = !values.quick && values.only === undefined;
  const name = isComplete ? 'docs/growth.svg' : 'build/growth.svg';
  const picture = values.svg ?? fileURLToPath(new URL(`../../${name}`, import.meta.url));
  writeFileSync(picture, plotsSvg(plots, 'How the cost of a vote grows', note));
  console.log(`Drawn to ${relative(process.cwd(), picture)}`);
}

function plotOf({ name, points }: Axis): Plot {
  const figure = (title: string, unit: string, of: (run: Measured) => number) => ({
    name: title,
    unit,
    points: points.map((point) => ({ x: point.value, y: median((measured.get(point) ?? []).map(of)) })),
  });
  return {
    name,
    figures: [
      figure('Votes', '1/s', ({ perSecond }) => perSecond),
      figure('Server CPU per vote', 'µs', ({ serverCpuUs }) => serverCpuUs),
      figure('p99', 'ms', ({ p99Ms }) => p99Ms),
      figure('Memory', 'MiB', ({ memory }) => memory),
    ],
  };
}

function tableOf({ name, given, points }: Axis, { figures }: Plot): string {
  const head = [name, ...figures.map((figure) => `${figure.name}, ${figure.unit}`)];
  const rows = points.map(({ value }, i) => [
    shown(value),
    ...figures.map((figure) => shown(figure.points[i]?.y ?? Number.NaN)),
  ]);
  return `### ${name}\n\n${given}\n\n${markdownTable(head, rows)}`;
}

import t from 'tap';
import { chartSvg, chartText, shown } from '../../../bench/chart.ts';
import { plotsSvg } from '../../../bench/growth/plots.ts';
import { aimsTable } from '../../../bench/measuring/aims.ts';
import type { Measured } from '../../../bench/measuring/measure.ts';
import { comparisonCharts, comparisonTables, markdownTable, type Results } from '../../../bench/measuring/tables.ts';
import { COMPARISONS, type Comparison } from '../../../bench/measuring/workloads.ts';

const run = (figures: Partial<Measured>): Measured => ({
  perSecond: 1_000,
  serverCpuUs: 5,
  generatorCpuUs: 1,
  p50Ms: 1,
  p99Ms: 2,
  countMs: Number.NaN,
  missing: 0,
  memory: 10,
  ...figures,
});

const about = (aim: Comparison['aim']) => COMPARISONS.find((one) => one.aim === aim) as Comparison;

t.test('numbers are rounded to what can be read', async (t) => {
  t.same([0.1234, 12.34, 123.4, 84_321.7, Number.NaN].map(shown), ['0.12', '12.3', '123', '84,322', '–']);
});

t.test('texts are aligned to the left and figures to the right', async (t) => {
  t.equal(markdownTable(['who', 'n'], [['a', '1']]), '| who | n |\n| --- | ---: |\n| a | 1 |');
});

t.test('an aim with several conditions is met only if all are, and says what was measured', async (t) => {
  const results = (ours: number): Results =>
    new Map([
      [
        about('saturated'),
        new Map([
          ['mosquitto', [run({ perSecond: 1_000 })]],
          ['bare Aedes', [run({ perSecond: 500 })]],
          ['Pollcast, one process', [run({ perSecond: ours, countMs: 30 })]],
        ]),
      ],
    ]);
  const row = (ours: number) => aimsTable(results(ours)).split('\n')[2] as string;
  t.match(row(1_300), /one process: 1\.30 × mosquitto, 2\.60 × bare Aedes \| met \|/);
  t.match(row(1_100), /one process: 1\.10 × mosquitto, 2\.20 × bare Aedes \| missed \|/);
  t.match(aimsTable(results(1_300)), /one process: 30 ms \| met \|/);
  t.match(aimsTable(results(1_300)), /1,000 connections, window 1 .* \| not measured \| – \|/);
});

t.test('the slowest count of all runs is compared with its aim', async (t) => {
  const runs = [run({ countMs: 20 }), run({ countMs: 1_400 }), run({ countMs: 10 })];
  const results: Results = new Map([[about('hall'), new Map([['Pollcast over Redis', runs]])]]);
  t.match(aimsTable(results), /over Redis: 1,400 ms \| missed \|/);
  t.match(
    comparisonTables(results),
    /\| Pollcast over Redis \| 1,000 \| 5 µs \| 1 µs \| 1 ms \| 2 ms \| 20 ms \| 10 MiB \|/,
  );
});

t.test('votes that a subscriber never counted are not reported as a count', async (t) => {
  const results: Results = new Map([
    [
      about('hall'),
      new Map([
        ['mosquitto + counter', [run({ countMs: 3, missing: 7 })]],
        ['mosquitto', [run({})]],
      ]),
    ],
  ]);
  t.match(comparisonTables(results), /mosquitto \+ counter .* never: 7 are missing/);
  t.match(comparisonTables(results), /\| mosquitto \| .* \| – \| 10 MiB/);
});

t.test('charts show rates, or the p99 where the rate is given', async (t) => {
  const results: Results = new Map([
    [
      about('hall'),
      new Map([
        ['mosquitto', [run({ perSecond: 800 })]],
        ['bare Aedes', [run({ perSecond: 400 })]],
      ]),
    ],
    [about('paced'), new Map([['mosquitto', [run({ p99Ms: 7 })]]])],
  ]);
  const charts = comparisonCharts(results);
  t.same(charts[0]?.rows[0]?.values, [800, 5]);
  t.same(charts[1]?.rows[0]?.values, [7, 5]);
  const [, , first, second] = chartText(charts).split('\n');
  const barsOf = (line = '') => (/█+/.exec(line)?.[0] ?? '').length;
  t.equal(barsOf(first), 2 * barsOf(second), 'bars are as long as their values');
  t.match(chartSvg(charts, 'Who is <faster> & why', 'note'), /<title>Who is &lt;faster&gt; &amp; why<\/title>/);
});

t.test('a plot leaves out what was not measured', async (t) => {
  const points = [1, 10, 100].map((x) => ({ x, y: x === 10 ? Number.NaN : x }));
  const svg = plotsSvg([{ name: 'devices', figures: [{ name: 'Votes', unit: '1/s', points }] }], 'Growth', 'note');
  t.equal(svg.match(/<circle/g)?.length, 2);
  t.notMatch(svg, /NaN/);
});

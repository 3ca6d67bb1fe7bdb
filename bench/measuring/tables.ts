import { type BarChart, shown } from '../chart.ts';
import type { Measured } from './measure.ts';
import { median } from './statistics.ts';
import type { Comparison } from './workloads.ts';

/** What was measured: by comparison and contender, a value for each round. */
export type Results = ReadonlyMap<Comparison, ReadonlyMap<string, readonly Measured[]>>;

/** A Markdown table. @param texts how many columns, from the left, are texts; the others are right-aligned */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], texts = 1): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < texts ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** A Markdown table for each comparison, with medians. */
export function comparisonTables(results: Results): string {
  const head = ['', 'votes/s', 'server CPU', 'generator CPU', 'p50', 'p99', 'count done after', 'memory'];
  return [...results]
    .map(([{ name }, measured]) => {
      const rows = [...measured].map(([who, runs]) => {
        const middle = (of: (run: Measured) => number) => median(runs.map(of));
        const missing = Math.max(...runs.map((run) => run.missing));
        const count = middle(({ countMs }) => countMs);
        return [
          who,
          shown(middle(({ perSecond }) => perSecond)),
          withUnit(
            middle(({ serverCpuUs }) => serverCpuUs),
            'µs',
          ),
          withUnit(
            middle(({ generatorCpuUs }) => generatorCpuUs),
            'µs',
          ),
          withUnit(
            middle(({ p50Ms }) => p50Ms),
            'ms',
          ),
          withUnit(
            middle(({ p99Ms }) => p99Ms),
            'ms',
          ),
          Number.isNaN(count) ? '–' : missing > 0 ? `never: ${shown(missing)} are missing` : `${shown(count)} ms`,
          withUnit(
            middle(({ memory }) => memory),
            'MiB',
          ),
        ];
      });
      return `### ${name}\n\n${markdownTable(head, rows)}`;
    })
    .join('\n\n');
}

function withUnit(value: number, unit: string): string {
  return Number.isNaN(value) ? shown(value) : `${shown(value)} ${unit}`;
}

/** The comparisons as charts: the rate and the CPU beside each other, or the p99 where the rate is given. */
export function comparisonCharts(results: Results): BarChart[] {
  return [...results].map(([{ name, load }, measured]) => {
    const isPaced = 'rate' in load;
    return {
      name,
      figures: [
        isPaced ? { name: 'Acknowledgement, p99', unit: 'ms' } : { name: 'Acknowledged votes', unit: '1/s' },
        { name: 'Server CPU per vote', unit: 'µs' },
      ],
      rows: [...measured].map(([who, runs]) => ({
        who,
        values: [
          median(runs.map(({ p99Ms, perSecond }) => (isPaced ? p99Ms : perSecond))),
          median(runs.map(({ serverCpuUs }) => serverCpuUs)),
        ],
      })),
    };
  });
}

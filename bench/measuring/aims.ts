import { shown } from '../chart.ts';
import { bareAedes, embedded, mosquitto, nats, overRedis } from '../contenders.ts';
import type { Measured } from './measure.ts';
import { median, medianRatio } from './statistics.ts';
import { markdownTable, type Results } from './tables.ts';
import type { Workload } from './workloads.ts';

/** A part of an aim: what was measured of whom, and whether that is enough. */
interface Part {
  readonly who: string;
  readonly text: string;
  readonly isMet: boolean;
}

interface Aim {
  readonly work: string;
  readonly aim: string;
  /** @returns one part for each condition; none if it was not measured */
  readonly parts: (results: Results) => readonly Part[];
}

type Figure = (run: Measured) => number;

const perSecond: Figure = (run) => run.perSecond;
const OURS = [embedded.name, overRedis.name];
const others = new Map([
  [mosquitto.name, 1.2],
  [bareAedes.name, 2],
  [nats.name, 3],
]);

const AIMS: readonly Aim[] = [
  {
    work: 'votes/s, 100 connections, window 20',
    aim: '≥ 1.2 × mosquitto, ≥ 2 × bare Aedes, ≥ 3 × NATS',
    parts: (results) => OURS.flatMap((who) => ratios(results, 'saturated', who, others)),
  },
  {
    work: 'votes/s, 1,000 connections, window 1',
    aim: '≥ 1.2 × bare Aedes, ≥ 1 × NATS; then as near to mosquitto as it goes',
    parts: (results) => {
      const least = new Map([
        [bareAedes.name, 1.2],
        [nats.name, 1],
        [mosquitto.name, 0],
      ]);
      return ratios(results, 'hall', embedded.name, least);
    },
  },
  {
    work: 'server CPU per vote, all processes, window 20',
    aim: '≤ 8 µs',
    parts: (results) => atMost(results, 'saturated', OURS, ({ serverCpuUs }) => serverCpuUs, 8, 'µs'),
  },
  {
    work: 'server CPU per vote, all processes, 1,000 × 1',
    aim: '≤ 35 µs',
    parts: (results) => atMost(results, 'hall', OURS, ({ serverCpuUs }) => serverCpuUs, 35, 'µs'),
  },
  {
    work: 'votes/s, one vote per device, 15,000 devices (4,000 with `--quick`)',
    aim: '≥ 0.8 × mosquitto',
    parts: (results) => OURS.flatMap((who) => ratios(results, 'oneEach', who, new Map([[mosquitto.name, 0.8]]))),
  },
  {
    work: 'count done after the last acknowledgement (the slowest of all runs)',
    aim: '≤ 1,000 ms',
    parts: (results) => OURS.flatMap((who) => slowestCount(results, who)),
  },
  {
    work: 'p99 of an acknowledgement at 10,000 votes/s from 1,000 connections, one process, synced',
    aim: '≤ 10 ms',
    parts: (results) => atMost(results, 'paced', [embedded.name], ({ p99Ms }) => p99Ms, 10, 'ms'),
  },
  {
    work: 'the same over Redis, `append`',
    aim: '≤ 5 ms',
    parts: (results) => atMost(results, 'paced', [overRedis.name], ({ p99Ms }) => p99Ms, 5, 'ms'),
  },
];

/** Aims that other benchmarks measure, with these. */
const ELSEWHERE: readonly (readonly [work: string, aim: string, command: string])[] = [
  ['one processor, from log to committed tally', '≥ 300,000 votes/s', 'bench:counting'],
  ['memory per idle device', '≤ 8 kB', 'bench:connections'],
  ['CONNECTs per second', '≥ 1 × bare Aedes', 'bench:connections'],
  ['15,000 devices back after a storm, while votes go on', '≤ 10 s', 'bench:connections'],
  ['fan-out to 4,000 viewers', '≥ 1 × nchan', 'bench:streams'],
  ['memory per viewer', '≤ 10 kB', 'bench:streams'],
  ['p99 from vote to screen, 5,000 votes/s, 1,000 viewers', '≤ 50 ms', 'bench:streams'],
];

/** The aims as a Markdown table: what was measured, as medians of all rounds, and whether it is enough. */
export function aimsTable(results: Results): string {
  const rows = AIMS.map(({ work, aim, parts }) => {
    const found = parts(results);
    const verdict = found.length === 0 ? '–' : found.every(({ isMet }) => isMet) ? 'met' : 'missed';
    return [work, aim, textOf(found) || 'not measured', verdict];
  });
  const elsewhere = ELSEWHERE.map(([work, aim, command]) => [work, aim, `by \`npm run ${command}\``, '–']);
  return markdownTable(['work', 'aim', 'measured', ''], [...rows, ...elsewhere], 4);
}

function textOf(parts: readonly Part[]): string {
  const whom = [...new Set(parts.map(({ who }) => who))];
  const texts = whom.map((one) => {
    const own = parts.filter(({ who }) => who === one).map(({ text }) => text);
    return `${one.replace('Pollcast, ', '').replace('Pollcast ', '')}: ${own.join(', ')}`;
  });
  return texts.join('; ');
}

function runsOf(results: Results, aim: Workload['aim'], who: string): readonly Measured[] {
  const [, measured] = [...results].find(([comparison]) => comparison.aim === aim) ?? [];
  return measured?.get(who) ?? [];
}

function ratios(results: Results, aim: Workload['aim'], who: string, least: ReadonlyMap<string, number>): Part[] {
  const ours = runsOf(results, aim, who).map(perSecond);
  return [...least].flatMap(([other, factor]) => {
    const ratio = medianRatio(ours, runsOf(results, aim, other).map(perSecond));
    return Number.isNaN(ratio) ? [] : [{ who, text: `${ratio.toFixed(2)} × ${other}`, isMet: ratio >= factor }];
  });
}

function atMost(
  results: Results,
  aim: Workload['aim'],
  whom: readonly string[],
  figure: Figure,
  most: number,
  unit: string,
): Part[] {
  return whom.flatMap((who) => {
    const value = median(runsOf(results, aim, who).map(figure));
    return Number.isNaN(value) ? [] : [{ who, text: `${shown(value)} ${unit}`, isMet: value <= most }];
  });
}

function slowestCount(results: Results, who: string): Part[] {
  const runs = [...results.values()].flatMap((measured) => measured.get(who) ?? []);
  const times = runs.map(({ countMs }) => countMs).filter((ms) => !Number.isNaN(ms));
  if (times.length === 0) return [];
  const slowest = Math.max(...times);
  return [{ who, text: `${shown(slowest)} ms`, isMet: slowest <= 1_000 }];
}

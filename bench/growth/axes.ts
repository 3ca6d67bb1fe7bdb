import type { Running } from '../contenders.ts';
import { type Contender, embedded, overRedis } from '../contenders.ts';
import { openPolls, type Votes } from '../measuring/measure.ts';
import type { Workload } from '../measuring/workloads.ts';

/** One value of what grows, and how it is measured. */
export interface Point {
  readonly value: number;
  readonly contender: Contender;
  readonly workload: Workload;
  readonly flags?: readonly string[];
  readonly prepare?: (running: Running) => Promise<Votes>;
  /** How many viewers follow the result; then what is measured is how long a vote takes to reach a screen. */
  readonly viewers?: number;
}

/** Something that grows while everything else stays the same. */
export interface Axis {
  readonly name: string;
  /** What stays the same. */
  readonly given: string;
  readonly points: readonly Point[];
}

const BUSY: Workload = { name: '1,000 connections, window 8', connections: 1_000, load: { window: 8 } };

/** What is measured. @param isQuick with fewer values each */
export function axes(isQuick: boolean): readonly Axis[] {
  const some = (all: readonly number[], few: readonly number[]) => (isQuick ? few : all);
  return [
    {
      name: 'devices',
      given: 'one process; every device has one vote in flight',
      points: some([100, 1_000, 5_000, 15_000], [100, 1_000, 4_000]).map(devices),
    },
    {
      name: 'open polls',
      given: `one process; ${BUSY.name}, spread over the polls`,
      points: some([1, 10, 100, 300], [1, 100]).map(polls),
    },
    {
      name: 'options of a poll',
      given: `one process; ${BUSY.name}`,
      points: some([2, 10, 100], [2, 100]).map(options),
    },
    {
      name: 'viewers',
      given: 'one process; 1,000 votes/s from 100 devices; p99 is from a vote to a screen',
      points: some([1, 100, 1_000, 4_000], [1, 1_000]).map(viewers),
    },
    {
      name: 'partitions, one process',
      given: BUSY.name,
      points: some([1, 4, 16, 64], [1, 16]).map(partitions(embedded)),
    },
    {
      name: 'partitions, over Redis',
      given: `${BUSY.name}; one broker, one processor, one dashboard`,
      points: some([1, 4, 16, 64], [1, 16]).map(partitions(overRedis)),
    },
  ];
}

function devices(value: number): Point {
  const workload: Workload = { name: `${value} devices`, connections: value, load: { window: 1 } };
  return { value, contender: embedded, workload };
}

function polls(value: number): Point {
  return { value, contender: embedded, workload: BUSY, prepare: opened(value) };
}

function options(value: number): Point {
  const keys = Array.from({ length: value }, (_, i) => `o${String(i).padStart(2, '0')}`);
  return { value, contender: embedded, workload: BUSY, prepare: opened(1, keys) };
}

function viewers(value: number): Point {
  const workload: Workload = { name: `${value} viewers`, connections: 100, load: { rate: 1_000 } };
  return { value, contender: embedded, workload, viewers: value };
}

function partitions(contender: Contender): (value: number) => Point {
  return (value) => ({ value, contender, workload: BUSY, flags: ['--partitions', String(value)] });
}

function opened(count: number, keys?: readonly string[]): Point['prepare'] {
  return async ({ api }) => {
    if (!api) throw new Error('only Pollcast has polls');
    const topics = await openPolls(api, count, keys);
    return keys ? { topics, payloads: keys } : { topics };
  };
}

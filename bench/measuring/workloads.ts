import {
  bareAedes,
  type Contender,
  embedded,
  embedded5,
  mosquitto,
  mosquittoAndCounter,
  nats,
  overRedis,
} from '../contenders.ts';

/** What the devices do. */
export interface Workload {
  readonly name: string;
  /** Set if an aim is about it. */
  readonly aim?: 'saturated' | 'hall' | 'oneEach' | 'paced';
  readonly connections: number;
  /**
   * Every device keeps up to `window` votes in flight; or each casts one vote in each of several polls; or all together send
   * `rate` votes per second, whether or not earlier ones were acknowledged.
   */
  readonly load: { readonly window: number } | { readonly polls: number } | { readonly rate: number };
  readonly qos?: 2;
}

/** A workload, and who is measured under it. */
export interface Comparison extends Workload {
  readonly contenders: readonly Contender[];
}

/** The comparisons that the aims are about. */
const SATURATED: Workload = {
  name: '100 connections, window 20',
  aim: 'saturated',
  connections: 100,
  load: { window: 20 },
};
const HALL: Workload = { name: '1,000 connections, window 1', aim: 'hall', connections: 1_000, load: { window: 1 } };
const PACED: Workload = {
  name: '10,000 votes/s from 1,000 connections',
  aim: 'paced',
  connections: 1_000,
  load: { rate: 10_000 },
};
const ONE_EACH: Workload = {
  name: '15,000 devices, one vote each',
  aim: 'oneEach',
  connections: 15_000,
  load: { polls: 4 },
};

const EVERYBODY = [mosquitto, bareAedes, nats, mosquittoAndCounter, embedded, embedded5, overRedis];

/** All comparisons, those that say the most first. */
export const COMPARISONS: readonly Comparison[] = [
  { ...SATURATED, contenders: EVERYBODY },
  { ...HALL, contenders: EVERYBODY },
  { ...ONE_EACH, contenders: [mosquitto, bareAedes, nats, embedded, overRedis] },
  { ...PACED, contenders: [mosquitto, bareAedes, nats, embedded, overRedis] },
  {
    name: '10 connections, window 8',
    connections: 10,
    load: { window: 8 },
    contenders: [mosquitto, bareAedes, embedded],
  },
  {
    name: '1,000 connections, window 8',
    connections: 1_000,
    load: { window: 8 },
    contenders: [mosquitto, bareAedes, embedded, overRedis],
  },
  {
    name: '10,000 connections, window 1',
    connections: 10_000,
    load: { window: 1 },
    contenders: [mosquitto, bareAedes, embedded],
  },
  {
    name: '100 connections, window 20, QoS 2',
    connections: 100,
    load: { window: 20 },
    qos: 2,
    contenders: [mosquitto, bareAedes, embedded],
  },
];

/** What two minutes are enough for: what the aims are about, with fewer devices. */
export const QUICK: readonly Comparison[] = [
  { ...SATURATED, contenders: [mosquitto, embedded, overRedis, bareAedes, nats] },
  { ...HALL, contenders: [mosquitto, embedded, overRedis, bareAedes, nats] },
  { ...PACED, contenders: [embedded, overRedis] },
  {
    ...ONE_EACH,
    name: '4,000 devices, one vote each',
    connections: 4_000,
    contenders: [mosquitto, embedded, overRedis],
  },
];

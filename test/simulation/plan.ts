import { Random } from './world/random.ts';

/** Faults that may happen, by what they hit. */
const FAULTS = {
  process: ['kill', 'stop', 'pause', 'suspend', 'clock step'],
  line: ['line lost', 'line silent', 'line slow', 'device moves', 'device takes over'],
  shared: [
    'store cut off',
    'store answers lost',
    'store far away',
    'appends slow',
    'store refuses',
    'store hangs',
    'store slow',
    'replica gone',
    'failover',
    'all processes killed',
  ],
  single: ['power loss', 'disk full', 'disk slow'],
} as const;

export type FaultKind = (typeof FAULTS)[keyof typeof FAULTS][number];

export interface Fault {
  /** Names the fault in the command that repeats a run. */
  readonly id: number;
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly forMs: number;
  /** Which of the things that it could hit, from 0 to less than 1. */
  readonly target: number;
  /** How bad it is, from 0 to less than 1. */
  readonly size: number;
}

/** Everything about a run that is decided before it begins. The rest follows from the seed. */
export interface Plan {
  readonly seed: number;
  /** Several processes that share a store, or one process with its own disk. */
  readonly kind: 'shared' | 'single';
  readonly partitions: number;
  readonly brokers: number;
  readonly processors: number;
  readonly dashboards: number;
  readonly devices: number;
  readonly polls: number;
  /** For how long things go wrong. Afterwards, everything works, and all must come right. */
  readonly minutes: number;
  readonly faults: readonly Fault[];
}

/** What may be less than the seed says, to find a smaller run that fails in the same way. */
export interface Limits {
  readonly devices?: number | undefined;
  readonly minutes?: number | undefined;
  /** The ids of the faults that happen. */
  readonly faults?: readonly number[] | undefined;
}

export function planOf(seed: number, limits: Limits = {}): Plan {
  const random = new Random(seed).of('plan');
  const kind = random.chance(0.7) ? 'shared' : 'single';
  const several = (least: number, most: number) => (kind === 'shared' ? random.integer(least, most) : 1);
  const plan = {
    seed,
    kind,
    partitions: random.integer(1, 3),
    brokers: several(1, 3),
    processors: several(1, 2),
    dashboards: several(1, 2),
    devices: random.integer(2, 20),
    polls: random.integer(1, 3),
    minutes: random.integer(10, 50),
  } as const;
  const all = faults(random.of('faults'), kind, plan.minutes * 60_000);
  const minutes = limits.minutes ?? plan.minutes;
  return {
    ...plan,
    devices: limits.devices ?? plan.devices,
    minutes,
    faults: all.filter(({ id, atMs }) => atMs < minutes * 60_000 && (limits.faults?.includes(id) ?? true)),
  };
}

/** Faults come in bursts of some minutes, because several at once are what is hard. */
function faults(random: Random, kind: Plan['kind'], untilMs: number): Fault[] {
  const kinds: readonly FaultKind[] = [...FAULTS.process, ...FAULTS.line, ...FAULTS[kind]];
  const common = kinds.filter(() => random.chance(0.6));
  const found: Fault[] = [];
  for (let atMs = 10_000; atMs < untilMs; ) {
    const isBurst = random.chance(0.8);
    atMs += random.exponential(isBurst ? 6_000 : 90_000);
    const long = random.chance(0.15);
    found.push({
      id: found.length + 1,
      kind: random.pick(common.length > 0 && random.chance(0.8) ? common : kinds),
      atMs,
      forMs: long ? random.between(5_000, 40_000) : random.exponential(3_000),
      target: random.fraction(),
      size: random.fraction(),
    });
  }
  return found;
}

/** The command that repeats a run. */
export function commandFor({ seed }: Plan, { devices, minutes, faults }: Limits = {}): string {
  const options = [
    ['--devices', devices],
    ['--minutes', minutes],
    ['--faults', faults && (faults.join(',') || 'none')],
  ].filter(([, value]) => value !== undefined);
  return ['npm run simulate -- --seed', seed, ...options.flat()].join(' ');
}

import type { Outcome } from './run.ts';

/** The part of an outcome that is summed up. */
export type Figures = Pick<Outcome, 'simulatedMs' | 'cpuMs' | 'events' | 'faults' | 'checks' | 'votes'>;

/** What came of many runs. */
export class Summary {
  private seeds = 0;
  private simulatedMs = 0;
  private cpuMs = 0;
  private events = 0;
  private readonly faults = new Map<string, number>();
  private readonly checks = new Map<string, number>();
  private readonly votes = { pressed: 0, acknowledged: 0, stored: 0 };

  add({ simulatedMs, cpuMs, events, faults, checks, votes }: Figures): void {
    this.seeds++;
    this.simulatedMs += simulatedMs;
    this.cpuMs += cpuMs;
    this.events += events;
    sum(this.faults, faults);
    sum(this.checks, checks);
    this.votes.pressed += votes.pressed;
    this.votes.acknowledged += votes.acknowledged;
    this.votes.stored += votes.stored;
  }

  /** Simulated time, in hours. */
  get hours(): number {
    return this.simulatedMs / 3_600_000;
  }

  /** @param wallMs how long it all took */
  time(wallMs: number): string {
    const { seeds, hours, cpuMs, events } = this;
    return `${shown(seeds)} seeds, ${hours.toFixed(1)} simulated hours in ${minutes(wallMs)} (${minutes(cpuMs)} of processor time), ${shown(events)} events`;
  }

  /** @param wallMs how long it all took */
  print(wallMs: number): string {
    const { faults, checks, votes } = this;
    const [all, made] = [total(faults), total(checks)];
    return [
      this.time(wallMs),
      `${shown(votes.pressed)} presses, ${shown(votes.acknowledged)} acknowledged, ${shown(votes.stored)} in the log`,
      `${shown(all)} faults: ${listed(faults)}`,
      `${shown(made)} checks: ${listed(checks)}`,
    ].join('\n');
  }
}

function sum(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, count] of from) into.set(name, (into.get(name) ?? 0) + count);
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0);
}

function listed(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${shown(count)}`).join(', ');
}

const shown = (count: number): string => count.toLocaleString('en');
const minutes = (ms: number): string => `${(ms / 60_000).toFixed(1)} minutes`;

import type { Registry } from '../store/store.ts';
import { votesFor } from '../voting/poll/mandates.ts';
import { isUnderWay, type Poll } from '../voting/poll/poll.ts';
import type { Device } from './device.ts';

/** Which device voted for somebody, and until when. Kept while a round lasts, because the vote may have been cast in it. */
interface Release {
  readonly device: string;
  readonly atMs: number;
}

/** A device before and after a change; undefined if it is not registered. */
interface Step {
  readonly before: Device | undefined;
  readonly after: Omit<Device, 'salt' | 'hash' | 'createdAtMs'> | undefined;
}

/**
 * Remembers which devices stopped voting for whom during a round. A vote stays under the device that cast it, so a mandate that
 * moved to another device in the same round could be counted twice.
 */
export class Releases {
  private readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** Why a change would let somebody vote again in a round that is under way, as messages. */
  async problems(steps: readonly Step[]): Promise<string[]> {
    const gained = steps.flatMap(({ before, after }) => {
      const had = new Set(votersBy(before));
      return after ? votersBy(after).flatMap((id) => (had.has(id) ? [] : [{ id, device: after.device }])) : [];
    });
    if (gained.length === 0) return [];
    const kept = await this.registry.list<Release>('releases');
    const lost = this.lost(steps).map(([id, device]) => [id, { device, atMs: Date.now() }] as const);
    const releases = new Map<string, Release>([...kept.map(({ id, value }) => [id, value] as const), ...lost]);
    const moved = gained.flatMap(({ id, device }) => {
      const release = releases.get(id);
      return release && release.device !== device ? [{ id, device, release }] : [];
    });
    if (moved.length === 0) return [];
    const polls = await this.pollsUnderWay();
    return moved.flatMap(({ id, device, release }) => {
      const poll = polls.find(({ openedAtMs = 0 }) => openedAtMs <= release.atMs);
      if (!poll) return [];
      const name = poll.definition.poll;
      return `mandate ${id}: device ${release.device} could vote for it in poll ${name}, which is under way; device ${device} can do so when poll ${name} is closed`;
    });
  }

  /** Remembers whom devices stop voting for. To be called before the change is stored, so that none is missed. */
  async note(steps: readonly Step[]): Promise<void> {
    const lost = this.lost(steps);
    if (lost.length === 0) return;
    const polls = await this.pollsUnderWay();
    const atMs = Date.now();
    const fromMs = Math.min(atMs, ...polls.map(({ openedAtMs = 0 }) => openedAtMs));
    for (const { id, value } of await this.registry.list<Release>('releases')) {
      if (polls.length === 0 || value.atMs < fromMs) await this.registry.remove('releases', id);
    }
    if (polls.length === 0) return;
    for (const [id, device] of lost) await this.registry.put<Release>('releases', id, { device, atMs });
  }

  private lost(steps: readonly Step[]): (readonly [id: string, device: string])[] {
    return steps.flatMap(({ before, after }) => {
      const has = new Set(votersBy(after));
      return before ? votersBy(before).flatMap((id) => (has.has(id) ? [] : [[id, before.device] as const])) : [];
    });
  }

  /** Rounds in which registered devices may vote. */
  private async pollsUnderWay(): Promise<readonly Poll[]> {
    const polls = await this.registry.list<Poll>('polls');
    return polls
      .map(({ value }) => value)
      .filter(({ definition, status, deleted }) => !deleted && isUnderWay(status) && definition.eligible !== 'guests');
  }
}

function votersBy(device: Step['after']): string[] {
  return device ? votesFor(device) : [];
}

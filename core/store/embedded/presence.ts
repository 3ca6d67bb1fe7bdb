import { LruMap } from '../../runtime/lru-map.ts';
import type { LastLine, Presence } from '../store.ts';

/** Maximum number of devices that are remembered. */
const MAX_DEVICES = 100_000;

/** Presence in memory, because there is only one process. Timed by the monotonic clock, which nobody can set. */
export class EmbeddedPresence implements Presence {
  private readonly members = new Map<string, Map<string, { facts: unknown; untilMs: number }>>();

  /** The last connection of each device; null if the device left it. */
  private readonly lines = new LruMap<string, string | null>();

  async announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void> {
    const members = this.members.get(role) ?? new Map();
    this.members.set(role, members);
    members.set(id, { facts: structuredClone(facts), untilMs: performance.now() + ttlMs });
  }

  async withdraw(role: string, id: string): Promise<void> {
    this.members.get(role)?.delete(id);
  }

  async list(role: string) {
    const now = performance.now();
    const members = [...(this.members.get(role) ?? [])];
    return members.filter(([, { untilMs }]) => untilMs > now).map(([id, { facts }]) => ({ id, facts }));
  }

  async arrive(device: string, line: string): Promise<LastLine> {
    const last = this.lines.get(device);
    this.lines.put(device, line);
    this.lines.trim(MAX_DEVICES);
    if (last === undefined) return 'unknown';
    return last === null ? 'left' : 'lost';
  }

  async leave(device: string, line: string) {
    if (this.lines.get(device) === line) this.lines.put(device, null);
  }
}

import type { Presence } from '../store.ts';

/** Presence in memory, because there is only one process. */
export class EmbeddedPresence implements Presence {
  private readonly members = new Map<string, Map<string, { facts: unknown; untilMs: number }>>();

  async announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void> {
    const members = this.members.get(role) ?? new Map();
    this.members.set(role, members);
    members.set(id, { facts: structuredClone(facts), untilMs: Date.now() + ttlMs });
  }

  async withdraw(role: string, id: string): Promise<void> {
    this.members.get(role)?.delete(id);
  }

  async list(role: string) {
    const now = Date.now();
    const members = [...(this.members.get(role) ?? [])];
    return members.filter(([, { untilMs }]) => untilMs > now).map(([id, { facts }]) => ({ id, facts }));
  }
}

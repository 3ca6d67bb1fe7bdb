import { LruMap } from '../../runtime/lru-map.ts';
import type { Trails } from '../store.ts';
import { type DeviceEvent, KEPT_EVENTS, KEPT_TRAILS, TRAIL_TTL_MS } from '../trail.ts';

/** Trails in memory, because there is only one process. A restart forgets them. */
export class EmbeddedTrails implements Trails {
  private readonly trails = new LruMap<string, { readonly events: readonly DeviceEvent[]; readonly untilMs: number }>();

  async add(events: ReadonlyMap<string, readonly DeviceEvent[]>): Promise<void> {
    const untilMs = Date.now() + TRAIL_TTL_MS;
    for (const [device, more] of events) {
      const kept = [...(await this.of(device)), ...more].slice(-KEPT_EVENTS);
      this.trails.put(device, { events: kept, untilMs });
    }
    this.trails.trim(KEPT_TRAILS);
  }

  async of(device: string): Promise<readonly DeviceEvent[]> {
    const trail = this.trails.get(device);
    return trail && trail.untilMs > Date.now() ? trail.events : [];
  }
}

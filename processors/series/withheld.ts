import { LruMap } from '../../core/runtime/lru-map.ts';
import { type Point, pointKey } from '../../core/store/series/series.ts';
import type { PublicPart } from '../../core/voting/result/visibility.ts';
import { isShownIn } from './series-points.ts';

/** Maximum number of points that are withheld; the oldest are dropped first. The last points of a round are written in any case. */
const MAX_POINTS = 100_000;

/** Points that nobody outside may see yet. They are written once their round is revealed, so that graphs then show its course. */
export class Withheld {
  private readonly points = new LruMap<string, Point>();

  /** @returns how many older points were dropped */
  hold(point: Point): number {
    this.points.put(pointKey(point), point);
    return this.points.trim(MAX_POINTS).length;
  }

  /** Removes and returns the points of a round that may be seen now, oldest first. */
  release(poll: string, round: number, part: PublicPart): Point[] {
    const found: Point[] = [];
    for (const [name, point] of this.points) {
      const { tags } = point;
      if (tags.poll !== poll || tags.round !== String(round) || !isShownIn(part, point)) continue;
      this.points.delete(name);
      found.push(point);
    }
    return found;
  }
}

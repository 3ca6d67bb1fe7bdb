/**
 * A map ordered by last use, for caches. It is trimmed explicitly rather than at each write, because a batch that is being
 * folded must find everything it has added.
 */
export class LruMap<Key, Value> extends Map<Key, Value> {
  /** Returns a value and marks it as the most recently used. */
  use(key: Key): Value | undefined {
    const value = this.get(key);
    if (value !== undefined) this.put(key, value);
    return value;
  }

  /** Sets a value and marks it as the most recently used. */
  put(key: Key, value: Value): void {
    this.delete(key);
    this.set(key, value);
  }

  /** Removes the least recently used entries beyond `most`, and returns them. */
  trim(most: number): [Key, Value][] {
    const removed: [Key, Value][] = [];
    for (const entry of this) {
      if (this.size <= most) break;
      this.delete(entry[0]);
      removed.push(entry);
    }
    return removed;
  }
}

/**
 * What can be undone: changes that a failover may take back, because they are not on every disk yet. Changes of one operation are
 * undone together. Positions count operations, and only rise.
 */
export class Journal {
  /** Undoes each operation, oldest first. */
  private readonly undos: (() => void)[] = [];
  /** How many operations before those can no longer be undone. */
  private settled = 0;
  /** The changes of the operation under way. */
  private underWay: (() => void)[] | undefined;

  /** The position after the last operation, or after the one under way. */
  get position(): number {
    return this.settled + this.undos.length + (this.underWay ? 1 : 0);
  }

  /** Up to which position nothing can be lost. */
  get safe(): number {
    return this.settled;
  }

  /** Does an operation. If it fails, nothing has changed. */
  operation<T>(work: () => T): T {
    const changes: (() => void)[] = [];
    this.underWay = changes;
    try {
      const value = work();
      if (changes.length > 0) this.undos.push(() => undoAll(changes));
      return value;
    } catch (error) {
      undoAll(changes);
      throw error;
    } finally {
      this.underWay = undefined;
    }
  }

  /** Does something that can be undone. @param work returns how */
  change(work: () => () => void): void {
    (this.underWay ?? this.undos).push(work());
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    const existed = map.has(key);
    this.change(() => {
      map.set(key, value);
      return () => (existed ? map.set(key, before as V) : map.delete(key));
    });
  }

  delete<K, V>(map: Map<K, V>, key: K): void {
    if (!map.has(key)) return;
    const before = map.get(key) as V;
    this.change(() => {
      map.delete(key);
      return () => map.set(key, before);
    });
  }

  push<T>(list: T[], item: T): void {
    this.change(() => {
      list.push(item);
      return () => list.pop();
    });
  }

  /** Everything up to a position is safe from now on. */
  settle(position: number): void {
    if (position <= this.settled) return;
    this.undos.splice(0, position - this.settled);
    this.settled = position;
  }

  /** Takes back everything after a position. @returns how many operations were lost */
  undo(position: number): number {
    let lost = 0;
    while (this.position > position && this.undos.length > 0) {
      this.undos.pop()?.();
      lost++;
    }
    return lost;
  }
}

function undoAll(changes: readonly (() => void)[]): void {
  for (const undo of [...changes].reverse()) undo();
}

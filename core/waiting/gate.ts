import { Refusal } from '../runtime/refusal.ts';

/** Waiting for a place, by line. */
type Lines<Line extends string> = Readonly<Record<Line, (() => void)[]>>;

/**
 * Lets a few pieces of work run at a time. The others wait in lines of their own, which take turns: a long line does not hold up the
 * others.
 */
export class Gate<Line extends string> {
  private readonly most: number;
  private readonly mostWaiting: number;
  private readonly lines: Lines<Line>;
  private running = 0;
  /** The line whose turn it is not. */
  private last: Line | undefined;

  /** @param most how many run at a time @param mostWaiting how many may wait in each line */
  constructor(most: number, mostWaiting: number, lines: Lines<Line>) {
    this.most = most;
    this.mostWaiting = mostWaiting;
    this.lines = lines;
  }

  /** Does the work once it has a place. @throws Refusal busy if too many wait in its line */
  async pass<T>(line: Line, work: () => Promise<T>): Promise<T> {
    if (this.running >= this.most) {
      const waiting = this.lines[line];
      if (waiting.length >= this.mostWaiting)
        throw new Refusal('busy', 'too many codes are being checked; try again shortly');
      // The place of the one before is handed over, so nobody can slip in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.next();
      if (next) next();
      else this.running--;
    }
  }

  /** The first of a line, of another one than last time if there is any. */
  private next(): (() => void) | undefined {
    const names = (Object.keys(this.lines) as Line[]).filter((name) => this.lines[name].length > 0);
    const name = names.find((one) => one !== this.last) ?? names[0];
    if (name === undefined) return undefined;
    this.last = name;
    return this.lines[name].shift();
  }
}

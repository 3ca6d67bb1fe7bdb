import type { Log } from '../runtime/log.ts';
import { withinOr } from '../waiting/deadline.ts';

/** Time limit in ms for closing everything. After that, the rest is left to the operating system. */
const CLOSE_LIMIT_MS = 9_000;

/** Something that runs until it is closed. */
export interface Closable {
  /** Finishes work in progress, then stops. */
  close(): Promise<void>;
}

/** Everything that a process has opened. Parts are closed in reverse order, so that no part outlives what it depends on. */
export class Scope {
  private readonly log: Log;
  private readonly opened: { readonly name: string; readonly close: () => Promise<void> }[] = [];
  private closing: Promise<boolean> | undefined;

  constructor(log: Log) {
    this.log = log;
  }

  /**
   * Waits for a part to open. From then on, closing the scope also closes the part. If the part fails to open, the scope is
   * closed. @throws the error of a part that fails to open
   */
  async open<T extends Closable>(name: string, opening: Promise<T>): Promise<T> {
    try {
      const part = await opening;
      this.add(name, () => part.close());
      this.log.debug({ part: name }, 'started');
      return part;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Calls `close` when the scope is closed. */
  add(name: string, close: () => Promise<void>): void {
    this.opened.push({ name, close });
  }

  /** Closes everything. Resolves with false if something failed or took longer than the limit. Safe to call twice. */
  close(): Promise<boolean> {
    this.closing ??= withinOr(CLOSE_LIMIT_MS, this.closeAll(), false);
    return this.closing;
  }

  private async closeAll(): Promise<boolean> {
    let isClean = true;
    for (let last = this.opened.pop(); last; last = this.opened.pop()) {
      try {
        await last.close();
        this.log.debug({ part: last.name }, 'stopped');
      } catch (error) {
        isClean = false;
        this.log.error({ err: error, part: last.name }, 'did not stop cleanly');
      }
    }
    return isClean;
  }
}

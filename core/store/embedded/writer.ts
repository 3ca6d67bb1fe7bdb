import { randomInt } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { awaitWrite } from './await-write.ts';

/** `randomInt` draws below 2^48. */
const MAX_RUN = 2 ** 48 - 1;
const KEY = 'writer';

/**
 * Who writes to the vote log: the run that opened it last. Every write is made on the condition that this has not changed, in the
 * same transaction, so whichever way a second process gets at the file, the first one stores nothing after the second has begun.
 * The lock of the directory should keep it from coming to that.
 */
export class Writer {
  private readonly table: Database<{ readonly pid: number; readonly atMs: number }, string>;
  private readonly run: number;

  private constructor(root: RootDatabase, run: number) {
    this.table = root.openDB({ name: 'writers', encoding: 'json', useVersions: true });
    this.run = run;
  }

  /** Makes a new run the writer. What the one before has stored is in the log by the time this resolves. */
  static async take(root: RootDatabase): Promise<Writer> {
    const writer = new Writer(root, randomInt(1, MAX_RUN));
    await awaitWrite(writer.table.put(KEY, writer.facts(), writer.run));
    return writer;
  }

  /** Does what `write` does, unless there is a newer writer. Resolves once it is durable, with false if there is. */
  async write(write: () => void): Promise<boolean> {
    return awaitWrite(this.table.ifVersion(KEY, this.run, write));
  }

  /** Writes something small. Rejects if the log cannot be written to. */
  async probe(): Promise<void> {
    await this.write(() => this.table.put(KEY, this.facts(), this.run));
  }

  isCurrent(): boolean {
    return this.table.getEntry(KEY)?.version === this.run;
  }

  private facts() {
    return { pid: process.pid, atMs: Date.now() };
  }
}

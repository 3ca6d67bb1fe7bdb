import type { Database } from 'lmdb';
import type { WillStore } from '../../sessions.ts';
import { awaitWrite } from '../await-write.ts';
import { rangeOf } from './range.ts';

const WILL = 'delayed-will:';

/** Wills that wait after the end of a connection, in the file that has the sessions. */
export class EmbeddedWills implements WillStore {
  private readonly db: Database<Buffer, string>;

  constructor(db: Database<Buffer, string>) {
    this.db = db;
  }

  async put(client: string, text: string): Promise<void> {
    await awaitWrite(this.db.put(WILL + client, Buffer.from(text)));
  }

  async change(client: string, from: string, to: string | undefined): Promise<boolean> {
    let isChanged = false;
    await awaitWrite(
      this.db.childTransaction(() => {
        isChanged = this.db.get(WILL + client)?.toString() === from;
        if (!isChanged) return;
        if (to === undefined) this.db.removeSync(WILL + client);
        else this.db.putSync(WILL + client, Buffer.from(to));
      }),
    );
    return isChanged;
  }

  async get(client: string): Promise<string | undefined> {
    return this.db.get(WILL + client)?.toString();
  }

  async *all(): AsyncGenerator<readonly [client: string, text: string]> {
    for (const { key, value } of this.db.getRange(rangeOf(WILL))) yield [key.slice(WILL.length), value.toString()];
  }
}

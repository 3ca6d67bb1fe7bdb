import { randomUUID } from 'node:crypto';
import type { StoredPages } from '../store.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';

/**
 * The most bytes of ballots that one command carries. A larger command would hold up all others on its connection, might not be
 * answered within the time limit, however often it is tried, and Redis itself limits what a client may send.
 */
export const MAX_COMMAND_BYTES = 4 * 1024 * 1024;
/** How long in ms pages wait for the rest and for their commit. What a process that dies meanwhile leaves behind is then gone. */
const KEPT_MS = 60_000;

const stagePages = script<'staged', 'keptMs'>('counts/stage-pages');

/** Pages of one round that wait, outside of the round, for the commit that they belong to. */
export interface StagedPages {
  readonly key: string;
  /** The hash of the round, to which the commit moves them. */
  readonly target: string;
  /** How many they are. If Redis has fewer by then, the commit fails. */
  readonly pages: number;
}

/**
 * Sends the ballots of a checkpoint that is too large for one command ahead of its commit, in parts. Nobody reads them before the
 * commit moves them, all at once, so a checkpoint is stored completely or not at all, however large it is.
 */
export class Staging {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.keys = keys;
  }

  /**
   * Commits a checkpoint, and drops what it has staged if the commit fails.
   *
   * @param commit gets what it must move: nothing if the ballots fit into one command. Resolves with whether it has moved them
   */
  async around(
    partition: number,
    rounds: readonly StoredPages[],
    commit: (staged: readonly StagedPages[]) => Promise<boolean>,
  ): Promise<boolean> {
    if (bytesOf(rounds) <= MAX_COMMAND_BYTES) return commit([]);
    const staged: StagedPages[] = [];
    let isDone = false;
    try {
      // A name of its own, because another processor may be storing the same partition.
      const name = randomUUID();
      for (const { poll, round, pages } of rounds) {
        if (pages.size === 0) continue;
        const key = this.keys.staged(partition, name, staged.length);
        staged.push({ key, target: this.keys.pages(partition, poll, round), pages: pages.size });
        for (const part of partsOf(pages)) await this.send(key, part);
      }
      return (isDone = await commit(staged));
    } finally {
      // Otherwise, attempts that fail one after the other would fill the memory before these keys expire.
      if (!isDone) await Promise.all(staged.map(({ key }) => this.connection.unlink(key).catch(() => {})));
    }
  }

  private async send(key: string, part: readonly (number | Buffer)[]): Promise<void> {
    const call = stagePages({ staged: key }, { keptMs: KEPT_MS }, [], part);
    await replyOf(this.connection.call('EVAL', call));
  }
}

/** A page as Redis stores it, without a copy of its bytes. */
export function pageValue(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The pages as arguments, page and bytes in turn, in parts of at most `MAX_COMMAND_BYTES` or one page. */
function* partsOf(pages: StoredPages['pages']): Generator<(number | Buffer)[]> {
  let part: (number | Buffer)[] = [];
  let size = 0;
  for (const [page, bytes] of pages) {
    if (part.length > 0 && size + bytes.length > MAX_COMMAND_BYTES) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(page, pageValue(bytes));
    size += bytes.length;
  }
  if (part.length > 0) yield part;
}

function bytesOf(rounds: readonly StoredPages[]): number {
  let bytes = 0;
  for (const { pages } of rounds) for (const page of pages.values()) bytes += page.length;
  return bytes;
}

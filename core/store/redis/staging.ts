import { randomUUID } from 'node:crypto';
import { StoreError } from '../error.ts';
import type { StoredPages } from '../store.ts';
import { bytesOf } from '../stored-ballots.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';

/**
 * The most bytes of ballots that one command carries. Reads of the log use the same connection and wait behind it; a much larger
 * command might not be answered within the time limit, however often it is tried, and Redis itself limits what a client may send.
 */
const MAX_COMMAND_BYTES = 1024 * 1024;
/**
 * How long in ms the pages of a checkpoint wait for the next part of it, or for their commit. What a process that dies meanwhile
 * leaves behind is then gone.
 */
const KEPT_MS = 60_000;

const stagePages = script<'round' | 'staged', 'count' | 'part' | 'keptMs'>('counts/stage-pages');

/** @returns an error for pages that Redis does not have any more when they are to be committed */
export function stagedAreGone(partition: number): StoreError {
  return new StoreError(
    `the ballots of partition ${partition} that were sent ahead of their commit are gone from Redis: a failover has lost them, or more than ${KEPT_MS / 1_000} s have passed since the last part; nothing was committed, and they are sent again`,
  );
}

/** A copy of a round with its new pages. */
export interface StagedRound {
  readonly key: string;
  /** The hash of the round, whose place it takes. */
  readonly round: string;
  /** In how many parts the pages were sent. If Redis has fewer by then, the commit fails. */
  readonly parts: number;
}

/**
 * Sends the ballots of a checkpoint that is too large for one command ahead of its commit, in parts, to copies of its rounds. Nobody
 * reads these before the commit puts them in the place of the rounds, all at once, so a checkpoint is stored completely or not at
 * all, however large it is. Only checkpoints change ballots, and the commit fails if there was another one meanwhile. One partition
 * is sent at a time, so that what else uses the connection waits for one part at most.
 */
export class Staging {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;
  /** Resolves when nothing is being sent any more. */
  private sent: Promise<unknown> = Promise.resolve();

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.keys = keys;
  }

  /**
   * Commits a checkpoint, and drops what it has staged if the commit fails.
   *
   * @param commit gets what takes the place of rounds: nothing if the ballots fit into one command. Resolves with whether it has
   * @throws StoreError if Redis has lost what was sent
   */
  around(
    partition: number,
    rounds: readonly StoredPages[],
    commit: (staged: readonly StagedRound[]) => Promise<boolean>,
  ): Promise<boolean> {
    if (bytesOf(rounds) <= MAX_COMMAND_BYTES) return commit([]);
    const done = this.sent.then(() => this.inParts(partition, rounds, commit));
    this.sent = done.catch(() => {});
    return done;
  }

  private async inParts(
    partition: number,
    rounds: readonly StoredPages[],
    commit: (staged: readonly StagedRound[]) => Promise<boolean>,
  ): Promise<boolean> {
    const begun: string[] = [];
    let isDone = false;
    try {
      const staged: StagedRound[] = [];
      // A name of its own, because another processor may be storing the same partition.
      const name = randomUUID();
      for (const stored of rounds) {
        if (stored.pages.size === 0) continue;
        const key = this.keys.staged(partition, name, begun.length);
        const round = this.keys.pages(partition, stored.poll, stored.round);
        let parts = 0;
        for (const some of partsOf(stored.pages)) {
          // The copies sent before wait for the same commit, so they must not expire either.
          const call = stagePages(
            { round, staged: key },
            { count: stored.count, part: ++parts, keptMs: KEPT_MS },
            begun.filter((other) => other !== key),
            some,
          );
          if (parts === 1) begun.push(key);
          if ((await replyOf(this.connection.call('EVAL', call))) !== 1) throw stagedAreGone(partition);
        }
        staged.push({ key, round, parts });
      }
      return (isDone = await commit(staged));
    } finally {
      // Otherwise, attempts that fail one after the other would fill the memory before these keys expire.
      if (!isDone) await Promise.all(begun.map((key) => this.connection.unlink(key).catch(() => {})));
    }
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

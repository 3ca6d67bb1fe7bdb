import { createHash } from 'node:crypto';
import type { Log } from '../../../runtime/log.ts';
import { KeyFiles } from '../../key-files.ts';
import type { RedisConnection } from '../connection/connection.ts';
import { KeyExchange } from './key-exchange.ts';

/** How long in ms a key is kept to which no document refers: the document that does may not be written yet. */
const UNREFERRED_MS = 60_000;

/** A poll as far as its key is concerned. */
interface Keyed {
  readonly pseudonymKey?: string | undefined;
  /** In a stored poll: the name of its key, which says nothing about it. */
  readonly keyName?: string | undefined;
  /** In a poll that was read: the name of a key that this process does not have. */
  readonly missingKey?: string | undefined;
  readonly definition?: { readonly secrecy?: string };
}

interface RoundKeysParts {
  readonly connection: RedisConnection;
  readonly listening: RedisConnection;
  /** The channel on which processes ask each other for keys. */
  readonly channel: string;
  /** Where keys survive a restart of all processes; undefined: in memory only. */
  readonly folder: string | undefined;
  /** Called with a poll once its key, which was missing, has been found. */
  readonly onFound: (poll: string) => void;
  readonly log: Log;
}

/**
 * The keys of secret rounds, which Redis never gets: its append-only file, snapshots and replicas keep what was removed, and with
 * the key and the log every ballot could be read back. A stored poll has the name of its key. Each process has the keys in memory,
 * and in files of its own if it has a folder for them; what it lacks it asks the others for. All forget a key when its round is
 * closed.
 */
export class SharedRoundKeys {
  private readonly keys = new Map<string, string>();
  /** Since when no document has referred to a key, by `performance.now`. */
  private readonly unreferred = new Map<string, number>();
  private hasListed = false;
  /** The key to which each poll refers, and in which version of the poll that was found. */
  private readonly polls = new Map<string, { readonly name: string | undefined; readonly version: number }>();
  private readonly files: KeyFiles | undefined;
  private readonly log: Log;
  private readonly onFound: RoundKeysParts['onFound'];
  private exchange: KeyExchange | undefined;
  private isWarned = false;

  private constructor({ folder, log, onFound }: RoundKeysParts) {
    this.log = log;
    this.onFound = onFound;
    this.files = folder === undefined ? undefined : new KeyFiles(folder, (message) => log.error(message));
  }

  static async open(parts: RoundKeysParts): Promise<SharedRoundKeys> {
    const keys = new SharedRoundKeys(parts);
    const { connection, listening, channel } = parts;
    const lookUp = (name: string) => keys.known(name);
    const learn = (name: string, key: string) => keys.learn(name, key);
    const isNamed = (key: string, name: string) => nameOf(key) === name;
    keys.exchange = await KeyExchange.open({ connection, listening, channel, lookUp, learn, isNamed });
    return keys;
  }

  close(): void {
    this.exchange?.close();
  }

  /** The document to store for a poll. The key is kept by then. */
  sealed(value: unknown): unknown {
    if (!isKeyed(value) || value.definition?.secrecy !== 'secret') return value;
    const { pseudonymKey, missingKey, keyName: _, ...rest } = value;
    const keyName = pseudonymKey === undefined ? missingKey : nameOf(pseudonymKey);
    if (pseudonymKey !== undefined && keyName !== undefined) this.keep(keyName, pseudonymKey);
    return keyName === undefined ? rest : { ...rest, keyName };
  }

  /** Call after `sealed`, once the document is stored. @param version the document’s; undefined if it was not stored */
  stored(poll: string, sealed: unknown, version: number | undefined): void {
    const name = keyNameOf(sealed);
    if (version !== undefined) this.refer(poll, name, version);
    // Another document was faster.
    else if (name !== undefined && this.polls.get(poll)?.name !== name) this.destroy(name);
  }

  /** Call once a poll’s document is gone. */
  removed(poll: string): void {
    const name = this.polls.get(poll)?.name;
    this.polls.delete(poll);
    if (name !== undefined) this.destroy(name);
  }

  /** The poll that is stored as `stored`. Asks other processes for its key if it is not here. */
  async opened(poll: string, stored: unknown, version: number): Promise<unknown> {
    const name = keyNameOf(stored);
    this.refer(poll, name, version);
    if (!isKeyed(stored)) return stored;
    if (stored.pseudonymKey !== undefined && stored.definition?.secrecy === 'secret') this.warnOfEarlier(poll);
    if (name === undefined) return stored;
    const isLost = this.known(name) === undefined;
    if (isLost && !this.exchange?.isAsking(name)) await this.exchange?.ask(name);
    const { keyName: _, ...rest } = stored;
    const pseudonymKey = this.known(name);
    if (pseudonymKey !== undefined) return { ...rest, pseudonymKey };
    if (isLost) this.log.error({ poll }, 'no process has the key of a secret round; still asking for it');
    return { ...rest, missingKey: name };
  }

  /** Destroys the keys to which no document refers any more: those of rounds that were closed while this process was not there. */
  destroyOthers(stored: readonly unknown[]): void {
    const referred = new Set(stored.map(keyNameOf));
    const nowMs = performance.now();
    for (const name of new Set([...(this.files?.names() ?? []), ...this.keys.keys()])) {
      if (referred.has(name)) {
        this.unreferred.delete(name);
        continue;
      }
      // A store that has lost its data refers to none for a moment, until it is noticed. So what counts is since when.
      const sinceMs = this.unreferred.get(name) ?? nowMs;
      this.unreferred.set(name, sinceMs);
      // What this process finds at its start may be as old as its last stop.
      const ageMs = this.hasListed || stored.length === 0 ? 0 : (this.files?.ageMs(name) ?? 0);
      if (Math.max(ageMs, nowMs - sinceMs) > UNREFERRED_MS) this.destroy(name);
    }
    this.hasListed ||= stored.length > 0;
    this.files?.destroyLeft();
  }

  private refer(poll: string, name: string | undefined, version: number): void {
    const before = this.polls.get(poll);
    // What was read may be older than what was written meanwhile.
    if (before && before.version > version) return;
    if (name === undefined && before === undefined) return;
    this.polls.set(poll, { name, version });
    if (before?.name !== undefined && before.name !== name) this.destroy(before.name);
  }

  private known(name: string): string | undefined {
    const known = this.keys.get(name);
    if (known !== undefined) return known;
    const key = this.files?.read(name);
    if (key === undefined || nameOf(key) !== name) return undefined;
    this.keys.set(name, key);
    return key;
  }

  private keep(name: string, key: string): void {
    if (this.keys.has(name)) return;
    this.keys.set(name, key);
    if (!this.files || this.files.has(name)) return;
    try {
      this.files.write(name, key);
    } catch (error) {
      // Another process that shares the folder was faster.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST' && this.files.has(name)) return;
      if (!this.isWarned) {
        this.log.warn(
          { why: (error as Error).message },
          'the keys of secret rounds cannot be kept in the data directory, so this process has them in memory only: a secret round that is open ends if all processes stop',
        );
      }
      this.isWarned = true;
    }
  }

  private learn(name: string, key: string): void {
    this.keep(name, key);
    for (const [poll, { name: referred }] of this.polls) if (referred === name) this.onFound(poll);
  }

  private destroy(name: string): void {
    this.keys.delete(name);
    this.unreferred.delete(name);
    this.exchange?.forget(name);
    this.files?.destroy(name);
  }

  private warnOfEarlier(poll: string): void {
    this.log.warn(
      { poll },
      'an earlier version has stored the key of this secret round in Redis; once the round is closed, rewrite the append-only file (BGREWRITEAOF) and remove older backups',
    );
  }
}

/** The name of a key: a digest, from which a key of 256 random bits cannot be found. */
function nameOf(key: string): string {
  return createHash('sha256').update(`pollcast round key ${key}`).digest('base64url').slice(0, 32);
}

function isKeyed(value: unknown): value is Keyed {
  return typeof value === 'object' && value !== null;
}

function keyNameOf(stored: unknown): string | undefined {
  return isKeyed(stored) ? stored.keyName : undefined;
}

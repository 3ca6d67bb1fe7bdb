import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { KeyFiles } from '../../key-files.ts';
import type { Collection } from '../../store.ts';

/** Stands in a stored poll for its key: the name of the file that has it. */
interface Reference {
  readonly file: string;
}

/** A poll as far as its key is concerned. */
interface Keyed {
  readonly pseudonymKey?: string | Reference | undefined;
  readonly definition?: { readonly secrecy?: string };
}

/**
 * The keys of secret rounds, each in a file of its own, so that it can be destroyed. A database keeps what was removed in pages that
 * it may use again some day, and with the key and the log every ballot could be read back. Polls refer to their file.
 */
export class RoundKeys {
  private readonly kept: KeyFiles;
  private readonly files = new Map<string, string>();

  /** @param directory the data directory @param report called if a key could not be destroyed, which is tried again */
  constructor(directory: string, report: (message: string) => void = () => {}) {
    this.kept = new KeyFiles(join(directory, 'keys'), report);
  }

  /** The document to store for `value`, with its key in a file that is on disk by then. */
  sealed(collection: Collection, value: unknown): unknown {
    const { pseudonymKey: key, definition } = keyed(collection, value);
    if (typeof key !== 'string' || definition?.secrecy !== 'secret') return value;
    return { ...(value as object), pseudonymKey: { file: this.fileOf(key) } };
  }

  /** The document whose stored form is `stored`. @throws Error with a message for the operator if its key is missing */
  opened(collection: Collection, stored: unknown): unknown {
    const file = referred(collection, stored);
    if (file === undefined) return stored;
    const key = [...this.files].find(([, name]) => name === file)?.[0] ?? this.read(file);
    return { ...(stored as object), pseudonymKey: key };
  }

  /** Destroys the key of a stored document, unless the document that replaces it has the same one. */
  destroyReplaced(collection: Collection, before: unknown, after: unknown): void {
    const file = referred(collection, before);
    if (file !== undefined && file !== referred(collection, after)) this.destroy(file);
    else this.kept.destroyLeft();
  }

  /** Destroys the keys to which no document refers: those of rounds that were closed when the process was killed. */
  destroyOthers(referredTo: Iterable<unknown>): void {
    const kept = new Set([...referredTo].map((stored) => referred('polls', stored)));
    for (const file of this.kept.names()) if (!kept.has(file)) this.destroy(file);
  }

  /** True if a stored document refers to a key that is not there. */
  isLacking(collection: Collection, stored: unknown): boolean {
    const file = referred(collection, stored);
    return file !== undefined && !this.kept.has(file);
  }

  private fileOf(key: string): string {
    const known = this.files.get(key);
    if (known !== undefined) return known;
    const file = randomBytes(12).toString('hex');
    this.kept.write(file, key);
    this.files.set(key, file);
    return file;
  }

  private read(file: string): string {
    const key = this.kept.read(file);
    if (key === undefined) {
      throw new Error(
        `${this.kept.path(file)} is missing, the key of a secret round that is under way; restore it, or stop this process and run pollcast repair, which ends the round`,
      );
    }
    this.files.set(key, file);
    return key;
  }

  private destroy(file: string): void {
    for (const [key, name] of this.files) if (name === file) this.files.delete(key);
    this.kept.destroy(file);
  }
}

function keyed(collection: Collection, value: unknown): Keyed {
  return collection === 'polls' && typeof value === 'object' && value !== null ? value : {};
}

function referred(collection: Collection, stored: unknown): string | undefined {
  const { pseudonymKey: key } = keyed(collection, stored);
  return typeof key === 'object' ? key.file : undefined;
}

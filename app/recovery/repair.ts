import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RebuiltPolls } from '../../core/rounds/rebuilt.ts';
import { ownDirectory, syncDirectory } from '../../core/store/embedded/files/directory.ts';
import { DirectoryLock } from '../../core/store/embedded/files/lock.ts';
import { RoundKeys } from '../../core/store/embedded/files/round-keys.ts';
import { damages, isThere } from '../../core/store/embedded/files/soundness.ts';
import { freeName } from '../../core/store/embedded/files/spare.ts';
import { writeState } from '../../core/store/embedded/repair/new-state.ts';
import {
  readableDocuments,
  readableEntries,
  readableFact,
  readablePositions,
  type StoredDocument,
  type StoredEntry,
  soundEntries,
} from '../../core/store/embedded/repair/readable.ts';
import { type Round, RoundStarts } from '../../core/store/embedded/repair/round-starts.ts';
import { isBinary } from '../../core/voting/count/entries/binary.ts';
import { readEntry } from '../../core/voting/count/entries/codec.ts';
import { jsonOf } from '../../core/voting/count/entries/json.ts';
import { firstRound, type Poll } from '../../core/voting/poll/poll.ts';

/** A run of sequences, first and last included, for which a damaged log has no entries. */
export interface Missing {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** What `pollcast repair` found and did. */
export type RepairOutcome =
  | { readonly is: 'sound' }
  | {
      readonly is: 'rebuilt';
      /** Why the state had to be rebuilt. */
      readonly why: string;
      readonly polls: number;
      /** How many documents of each collection were found in what was left of the state. */
      readonly kept: Readonly<Record<string, number>>;
      /** True if these may have been changed or removed since. */
      readonly areOld: boolean;
      /** True if there were documents that cannot be read. */
      readonly areIncomplete: boolean;
      /** Rounds whose opening is no longer in the log, so that their votes cannot be counted again: they show none. */
      readonly uncounted: readonly Round[];
      /** How many entries of the log cannot be read. */
      readonly unreadable: number;
      /** Where the damaged state is now; undefined if there was none. */
      readonly aside: string | undefined;
    }
  | {
      readonly is: 'exported';
      readonly why: string;
      readonly entries: number;
      readonly missing: readonly Missing[];
      readonly file: string;
    };

/**
 * Repairs a data directory that no process uses: rebuilds a lost or damaged state from the vote log, or exports what is readable
 * of a damaged vote log. Never overwrites or deletes a file.
 *
 * @throws Error with a message for the operator if nothing can be done
 */
export async function repair(path: string): Promise<RepairOutcome> {
  const directory = await ownDirectory(path);
  const logPath = join(directory, 'log.lmdb');
  if (!isThere(logPath)) {
    throw new Error(`there is no vote log in ${directory}, so nothing can be rebuilt; restore it from a backup`);
  }
  const lock = await DirectoryLock.take(directory, 'r+');
  try {
    const found = damages(directory, 'full');
    const logDamage = found.get('log.lmdb');
    if (logDamage !== undefined) return await exportLog(directory, logDamage);
    const why = isThere(join(directory, 'state.lmdb'))
      ? (found.get('state.lmdb') ?? lostKey(directory))
      : 'it is missing or empty';
    return why === undefined ? { is: 'sound' } : await rebuildState(directory, why);
  } finally {
    await lock.release();
  }
}

async function rebuildState(directory: string, why: string): Promise<RepairOutcome> {
  const [logPath, statePath] = [join(directory, 'log.lmdb'), join(directory, 'state.lmdb')];
  const partitions = Number(readableFact(logPath, 'partitions'));
  const left = isThere(statePath)
    ? readableDocuments(statePath)
    : { documents: [], areOld: false, areIncomplete: false };
  const { documents: found, areOld, areIncomplete } = left;
  const rebuilt = new RebuiltPolls(partitions);
  const starts = new RoundStarts();
  let unreadable = 0;
  for (const { partition, bytes } of soundEntries(logPath)) {
    const entry = readEntry(bytes);
    starts.add(partition, entry);
    if (entry.type === 'open' || entry.type === 'close') rebuilt.add(partition, entry);
    else if (entry.type !== 'votes') unreadable++;
  }
  const keys = new RoundKeys(directory);
  const kept = found.filter(({ collection }) => collection === 'polls').map((poll) => withoutLostKey(poll, keys));
  const polls = rebuilt.polls(new Map(kept.map(({ id, value }) => [id, value as Poll])));
  const uncounted = starts.lacking([...kept.map(({ value }) => value as Poll), ...polls].flatMap(roundsOf));
  const documents: StoredDocument[] = [
    ...found.filter(({ collection }) => collection !== 'polls'),
    ...polls.map((poll) => storedPoll(poll, keys)),
  ];
  const id = readableFact(logPath, 'id');
  const written = freeName(statePath, 'rebuilt');
  await writeState(written, id === undefined ? undefined : String(id), documents);
  let aside: string | undefined;
  if (isThere(statePath)) {
    aside = freeName(statePath, 'damaged');
    await rename(statePath, aside);
  }
  await rename(written, statePath);
  await syncDirectory(directory);
  const facts = { kept: countsOf(found), areOld, areIncomplete, uncounted, unreadable, aside };
  return { is: 'rebuilt', why, polls: polls.length, ...facts };
}

function storedPoll(poll: Poll, keys: RoundKeys): StoredDocument {
  return { collection: 'polls', id: poll.definition.poll, value: keys.sealed('polls', poll), version: 1 };
}

/** Why a state that is not damaged cannot be used: without its key, a secret round would go on under the names of its voters. */
function lostKey(directory: string): string | undefined {
  const keys = new RoundKeys(directory);
  const { documents } = readableDocuments(join(directory, 'state.lmdb'));
  const isLost = documents.some(({ collection, value }) => keys.isLacking(collection, value));
  return isLost ? 'the key of a secret round that was under way is missing, so that round ends' : undefined;
}

/** A poll without the reference to a key that is not there any more. */
function withoutLostKey(poll: StoredDocument, keys: RoundKeys): StoredDocument {
  if (!keys.isLacking('polls', poll.value)) return poll;
  return { ...poll, value: { ...(poll.value as Poll), pseudonymKey: undefined } };
}

/** The rounds of a poll that were opened, as its document has them. One that is opening may have no marker yet. */
function roundsOf(poll: Poll): Round[] {
  const last = poll.status === 'opening' ? poll.round - 1 : poll.round;
  const rounds = Array.from({ length: Math.max(0, last - firstRound(poll) + 1) }, (_, i) => firstRound(poll) + i);
  return rounds.map((round) => ({ poll: poll.definition.poll, round }));
}

async function exportLog(directory: string, why: string): Promise<RepairOutcome> {
  const logPath = join(directory, 'log.lmdb');
  const entries = readableEntries(logPath);
  const statePath = join(directory, 'state.lmdb');
  const counted = isThere(statePath) ? readablePositions(statePath) : new Map<number, number>();
  const missing = missingIn(entries, counted);
  const file = freeName(join(directory, 'log.jsonl'), 'exported');
  const partitions = readableFact(logPath, 'partitions') ?? null;
  await pipeline(
    function* () {
      yield `${JSON.stringify({ log: 'pollcast', partitions, entries: entries.length, damage: why, missing })}\n`;
      for (const { partition, sequence, bytes } of entries) {
        yield `${JSON.stringify({ partition, offset: `${sequence}-0`, ...exported(bytes) })}\n`;
      }
    },
    createWriteStream(file, { flags: 'wx', mode: 0o600 }),
  );
  return { is: 'exported', why, entries: entries.length, missing, file };
}

/** An entry as it is exported: as text, so that it can be read without Pollcast. One in a newer format is exported as base64. */
function exported(bytes: Buffer): { readonly entry: string } | { readonly base64: string } {
  if (!isBinary(bytes)) return { entry: bytes.toString() };
  const entry = readEntry(bytes);
  return entry.type === 'votes' ? { entry: jsonOf(entry) } : { base64: bytes.toString('base64') };
}

/**
 * The sequences without an entry: between the first and the last one of each partition, and behind the last one, up to where the
 * partition was counted.
 */
function missingIn(entries: readonly StoredEntry[], counted: ReadonlyMap<number, number>): Missing[] {
  const lasts = new Map<number, number>();
  const missing: Missing[] = [];
  for (const { partition, sequence } of entries) {
    const before = lasts.get(partition) ?? sequence - 1;
    if (sequence > before + 1) missing.push({ partition, from: before + 1, to: sequence - 1 });
    lasts.set(partition, sequence);
  }
  for (const [partition, end] of counted) {
    const last = lasts.get(partition) ?? 0;
    if (end > last) missing.push({ partition, from: last + 1, to: end });
  }
  return missing;
}

function countsOf(documents: readonly StoredDocument[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { collection } of documents) counts[collection] = (counts[collection] ?? 0) + 1;
  return counts;
}

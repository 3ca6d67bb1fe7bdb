import { Readable } from 'node:stream';
import { countFile, type Outcome } from '../../../core/ballot-files/count.ts';
import { type ReadOptions, readBallotFile } from '../../../core/ballot-files/format.ts';
import type { BallotFile } from '../../../core/ballot-files/formats/ballot-file.ts';
import { BallotFileError } from '../../../core/ballot-files/formats/ballot-file.ts';
import { linesOf } from '../../../core/ballot-files/formats/lines.ts';
import type { CountSettings, FormatName } from '../../../core/ballot-files/settings.ts';

type Options = ReadOptions & { readonly given?: FormatName; readonly holdsGrades?: boolean };

/** Reads a ballot file with this name and content. */
export function read(name: string, content: string | Uint8Array, options: Options = {}): Promise<BallotFile> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  // Small chunks, so that lines and characters are split between them.
  const size = Math.max(7, Math.ceil(bytes.length / 100));
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(size * i, size * i + size),
  );
  return readBallotFile(linesOf(Readable.from(chunks)), { holdsGrades: false, ...options, name });
}

/** Where and why a file is refused: `line:column: message`. Throws if it is not. */
export async function refusal(name: string, content: string | Uint8Array, options: Options = {}): Promise<string> {
  try {
    await read(name, content, options);
  } catch (error) {
    if (!(error instanceof BallotFileError)) throw error;
    return `${error.place.line}:${error.place.column}: ${error.message}`;
  }
  throw new Error(`${name} was read`);
}

/** The ballots of a file with names instead of keys: `Adam>Basil=Charlotte`, and their number. */
export function ballots({ tally, candidates }: BallotFile): Record<string, number> {
  const named = (cast: string) => cast.replace(/c(\d+)/g, (_, number) => candidates[number - 1] as string);
  return Object.fromEntries([...tally].map(([cast, heads]) => [named(cast), heads]));
}

/** Reads and counts a file. */
export async function outcome(
  name: string,
  content: string,
  settings: CountSettings = {},
  options: Options = {},
): Promise<Outcome> {
  return countFile(await read(name, content, options), settings);
}

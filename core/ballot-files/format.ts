import { readAuditBundle } from './formats/audit-bundle.ts';
import { type BallotFile, BallotFileError, type BallotReader } from './formats/ballot-file.ts';
import { BltReader } from './formats/blt.ts';
import { type CvrOptions, CvrReader } from './formats/cvr.ts';
import { PREFLIB_ENDINGS, PrefLibReader } from './formats/preflib.ts';
import { type ScoreOptions, ScoreReader } from './formats/scores.ts';
import { FORMAT_NAMES, type FormatName } from './settings.ts';

export type ReadOptions = CvrOptions & ScoreOptions;

type Lines = AsyncIterable<string>;

interface Format {
  readonly endings: readonly string[];
  /** True if the file looks like this format, judging by its first line that is not empty. */
  begins(line: string): boolean;
  read(lines: Lines, options: ReadOptions): Promise<BallotFile>;
}

const byLine =
  (open: (options: ReadOptions) => BallotReader) =>
  async (lines: Lines, options: ReadOptions): Promise<BallotFile> => {
    const reader = open(options);
    let number = 0;
    for await (const line of lines) reader.take(line, ++number);
    return reader.end();
  };

/** The formats of ballot files. */
const formats: { readonly [Name in FormatName]: Format } = {
  blt: {
    endings: ['.blt'],
    begins: (line) => /^\s*\d+\s+\d+(\s|$)/.test(line),
    read: byLine(() => new BltReader()),
  },
  preflib: {
    endings: PREFLIB_ENDINGS,
    begins: (line) => /^\s*#\s*[A-Z ]+:/.test(line) || /^\s*\d+\s*,?\s*$/.test(line),
    read: byLine(() => new PrefLibReader()),
  },
  audit: {
    endings: ['.jsonl', '.ndjson'],
    begins: (line) => line.trimStart().startsWith('{'),
    read: (lines) => readAuditBundle(lines),
  },
  cvr: {
    endings: ['.csv', '.tsv'],
    begins: (line) => /[,;\t]/.test(line),
    read: byLine((options) => new CvrReader(options)),
  },
  scores: {
    endings: [],
    begins: () => false,
    read: byLine((options) => new ScoreReader(options)),
  },
};

/**
 * Reads a ballot file.
 *
 * @param lines its lines, as from `linesOf`
 * @param name its name, whose ending shows the format; if it does not, the first line does
 * @param given the format, if it is known
 * @param holdsGrades whether a table holds grades; it cannot be told from one that holds ranks
 * @throws {BallotFileError} if the file is malformed
 */
export async function readBallotFile(
  lines: Lines,
  {
    name,
    given,
    holdsGrades,
    ...options
  }: ReadOptions & { name: string; given?: FormatName | undefined; holdsGrades: boolean },
): Promise<BallotFile> {
  const ending = /\.[a-z]+$/.exec(name.toLowerCase().replace(/\.gz$/, ''))?.[0] ?? '';
  const all: readonly [FormatName, Format][] = FORMAT_NAMES.map((format) => [format, formats[format]]);
  const format = given ?? all.find(([, { endings }]) => endings.includes(ending))?.[0];
  if (format !== undefined) return formats[asTable(format)].read(lines, options);

  const { first, number, rest } = await peek(lines);
  const [found] = all.find(([, { begins }]) => begins(first)) ?? [];
  if (found === undefined) {
    throw new BallotFileError(
      { line: number, column: 1 },
      `the format is not recognised; say which it is with --format ${FORMAT_NAMES.join('|')}`,
    );
  }
  return formats[asTable(found)].read(rest, options);

  function asTable(format: FormatName): FormatName {
    return format === 'cvr' && given === undefined && holdsGrades ? 'scores' : format;
  }
}

/** The first line that is not empty, and all lines including those already read. */
async function peek(lines: Lines): Promise<{ first: string; number: number; rest: Lines }> {
  const iterator = lines[Symbol.asyncIterator]();
  const seen: string[] = [];
  let first = '';
  while (first.trim() === '' && seen.length < 1_000) {
    const { value, done } = await iterator.next();
    if (done) break;
    first = value;
    seen.push(value);
  }
  async function* rest() {
    yield* seen;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { first, number: Math.max(seen.length, 1), rest: rest() };
}

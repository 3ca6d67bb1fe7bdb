import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { CountError, countFile, type Outcome } from '../../core/ballot-files/count.ts';
import { readBallotFile } from '../../core/ballot-files/format.ts';
import { BallotFileError } from '../../core/ballot-files/formats/ballot-file.ts';
import type { CvrOptions } from '../../core/ballot-files/formats/cvr.ts';
import { linesOf } from '../../core/ballot-files/formats/lines.ts';
import { type MethodName, methodOf } from '../../core/ballot-files/methods.ts';
import type { CountSettings, FormatName } from '../../core/ballot-files/settings.ts';
import { EXIT } from '../exit.ts';
import { print } from '../operator/flags.ts';
import { outcomeText } from './text.ts';

export type TieBreak = Pick<CountSettings, 'tieBreak' | 'seed'>;

/** The flags of `pollcast count`. */
export interface Flags
  extends Pick<CountSettings, 'until' | 'rules' | 'seats' | 'quota' | 'decimals' | 'completion' | 'variant'>,
    Omit<CvrOptions, 'candidates'> {
  readonly format?: FormatName;
  readonly method?: MethodName;
  readonly tieBreak?: TieBreak;
  /** Lists of names separated by commas. */
  readonly lot: readonly string[];
  readonly candidates?: string;
  readonly withdraw: readonly string[];
  readonly exclude: readonly string[];
  readonly maxGrade?: number;
  readonly json?: boolean;
}

/** Counts a file and prints the outcome, or what is wrong with the file or the flags. */
export async function count(file: string, flags: Flags): Promise<void> {
  try {
    const { figures, ...outcome } = await outcomeOf(file, flags);
    print(flags, { ...outcome, ...figures }, () => outcomeText({ ...outcome, figures }));
  } catch (error) {
    process.stderr.write(`${explain(file, error)}\n`);
    process.exitCode = EXIT.misconfigured;
  }
}

async function outcomeOf(file: string, flags: Flags): Promise<Outcome> {
  const { format, method, tieBreak, lot, candidates, withdraw, exclude, maxGrade, ...others } = flags;
  const { until, rules, seats, quota, decimals, completion, variant, ...table } = others;
  const settings: CountSettings = {
    ...{ method, until, rules, seats, quota, decimals, completion, variant, max: maxGrade },
    ...(lot.length === 0 ? tieBreak : { tieBreak: 'none', draws: lot.map((names) => listOf('lot', names)) }),
    withdrawn: [...withdraw, ...exclude],
  };
  const ballots = await readBallotFile(linesOf(bytesOf(file)), {
    ...table,
    ...(candidates === undefined ? {} : { candidates: listOf('candidates', candidates) }),
    maxGrade,
    name: file,
    given: format,
    holdsGrades: method !== undefined && methodOf(method).forms.includes('grades'),
  });
  return countFile(ballots, settings);
}

function bytesOf(file: string): AsyncIterable<Uint8Array> {
  if (file === '-') return process.stdin;
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
  if (!file.endsWith('.gz')) return source;
  const unzipped = createGunzip();
  source.once('error', (error) => unzipped.destroy(error));
  return source.pipe(unzipped);
}

function listOf(flag: string, text: string): readonly string[] {
  try {
    const [names = []] = parse(text, { trim: true }) as string[][];
    return names;
  } catch {
    throw new CountError(
      `${flag}: ${text} is not a list; expected names separated by commas, those with commas in quotation marks: "Smith, A",Jones`,
    );
  }
}

function explain(file: string, error: unknown): string {
  if (error instanceof BallotFileError) return `${file}:${error.place.line}:${error.place.column}: ${error.message}`;
  if (error instanceof CountError) return `pollcast count: ${error.message}`;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return `pollcast count: ${file} cannot be read (${message})`;
}

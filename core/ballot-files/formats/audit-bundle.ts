import { type BundleReport, verifyBundle } from '../../audit/bundle.ts';
import { castOf, readCast } from '../../voting/count/cast.ts';
import type { Definition, KindName } from '../../voting/kinds/definition.ts';
import { kindOf } from '../../voting/kinds/index.ts';
import type { RoundRecord } from '../../voting/rules/record.ts';
import type { MethodName } from '../methods.ts';
import type { CountSettings, MethodSetting } from '../settings.ts';
import { type BallotFile, BallotFileError, type BallotForm, keyOf, quoted, uniqueNames } from './ballot-file.ts';

/** How the ballots of a kind of poll are read, and how the poll counts them. */
interface BallotsOfKind {
  readonly form: BallotForm;
  /** The method of counting; by default, the poll’s setting `method`. */
  readonly method?: MethodName;
  /** The poll’s settings that the method takes. */
  readonly takes: readonly MethodSetting[];
  /** The choice with keys of this file; `key` translates an option’s key. */
  choice(choice: string, key: (option: string) => string): string;
}

const KINDS: { readonly [Name in KindName]?: BallotsOfKind } = {
  ranking: {
    form: 'ranks',
    takes: ['seats', 'until', 'rules', 'quota', 'decimals', 'completion', 'variant'],
    choice: (choice, key) => choice.replace(/[^>=]+/g, key),
  },
  single: { form: 'ranks', method: 'plurality', takes: [], choice: (choice, key) => key(choice) },
  multiple: {
    form: 'ranks',
    method: 'approval',
    takes: ['seats', 'candidateMajority'],
    // All chosen options are level.
    choice: (choice, key) => choice.split(',').map(key).join('='),
  },
  score: { form: 'grades', takes: ['min', 'max'], choice: (choice, key) => choice.replace(/[^,:]+(?=:)/g, key) },
};

/**
 * Reads an audit bundle: the ballots that count, and how the poll counts them. The bundle is verified on the way, so a changed
 * one is refused.
 */
export async function readAuditBundle(lines: AsyncIterable<string>): Promise<BallotFile> {
  let first: string | undefined;
  async function* kept() {
    for await (const line of lines) {
      first ??= line;
      yield line;
    }
  }
  const report = await verifyBundle(kept());
  const { definition, record } = headerOf(first);
  checkReport(report);
  const kind = KINDS[definition.kind];
  if (!kind) {
    const known = Object.keys(KINDS).join(', ');
    throw new BallotFileError(
      { line: 1, column: 1 },
      `the bundle is of a ${definition.kind} poll; only these can be counted: ${known}. To check the bundle, use pollcast audit verify`,
    );
  }
  const keys = new Map(definition.options.map(({ key }, i) => [key, keyOf(i)]));
  const tally = new Map<string, number>();
  for (const [cast, heads] of Object.entries(report.outcome?.tally ?? {})) {
    const { choice, weight } = readCast(cast);
    const translated = kind.choice(choice, (option) => keys.get(option) ?? option);
    const own = castOf(translated, { weight });
    tally.set(own, (tally.get(own) ?? 0) + heads);
  }
  const names = uniqueNames(definition.options.map(({ label }) => label));
  const indexOf = (key: string) => definition.options.findIndex((option) => option.key === key);
  const namesOf = (order: readonly string[]) => order.map((key) => names[indexOf(key)] ?? key);
  // "None of the above" is counted by polls, but cannot win.
  const none = kindOf(definition).abstention?.(definition);
  const gone = [...(record.withdrawals ?? []).map(({ option }) => option), ...(none === undefined ? [] : [none])];
  const written = definition as CountSettings;
  return {
    title: definition.title,
    candidates: names,
    withdrawn: gone.map(indexOf),
    form: kind.form,
    tally,
    blank: 0,
    notes: [],
    declared: {
      ...Object.fromEntries(kind.takes.map((setting) => [setting, written[setting]])),
      method: kind.method ?? written.method,
      tieBreak: definition.tieBreak,
      lot: record.lot && namesOf(record.lot),
      draws: record.draws?.map(({ order }) => namesOf(order)),
    },
  };
}

function headerOf(line: string | undefined): { definition: Definition; record: RoundRecord } {
  try {
    const { header } = JSON.parse(line ?? '') as { header: { definition: Definition; record: RoundRecord } };
    if (Array.isArray(header.definition.options)) return header;
  } catch {
    // Reported below.
  }
  throw new BallotFileError(
    { line: 1, column: 1 },
    `${quoted(line ?? '')}; expected the header of an audit bundle, as written by pollcast audit export`,
  );
}

function checkReport({ problems }: BundleReport): void {
  const [problem] = problems;
  if (problem === undefined) return;
  const [, line = '1', what = problem] = /^line (\d+): (.*)$/s.exec(problem) ?? [];
  throw new BallotFileError(
    { line: Number(line), column: 1 },
    `${what}; expected an audit bundle that pollcast audit verify accepts`,
  );
}

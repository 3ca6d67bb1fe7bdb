import { type BundleReport, verifyBundle } from '../audit/bundle.ts';
import { readCast } from '../voting/count/cast.ts';
import type { Definition, KindName } from '../voting/kinds/definition.ts';
import type { RoundRecord } from '../voting/rules/record.ts';
import { type BallotFile, BallotFileError, type BallotForm, keyOf, quoted, uniqueNames } from './ballot-file.ts';
import type { CountSettings } from './settings.ts';

/** How the ballots of a kind of poll are read: as ranks or as grades, and how the poll counts them. */
interface BallotsOfKind {
  readonly form: BallotForm;
  /** The choice with keys of this file; `key` translates an option’s key. */
  choice(choice: string, key: (option: string) => string): string;
  settings(definition: Definition): CountSettings;
}

const replaced = (choice: string, key: (option: string) => string) => choice.replace(/[^>=]+/g, key);

const KINDS: { readonly [Name in KindName]?: BallotsOfKind } = {
  ranking: {
    form: 'ranks',
    choice: replaced,
    // In a ranking, max is the number of ranks.
    settings: (definition) => ({ ...(definition as CountSettings), max: undefined }),
  },
  single: { form: 'ranks', choice: replaced, settings: () => ({ method: 'plurality' }) },
  multiple: {
    form: 'ranks',
    // All chosen options are level.
    choice: (choice, key) => choice.split(',').map(key).join('='),
    settings: (definition) => ({ ...(definition as CountSettings), max: undefined, method: 'approval' }),
  },
  score: {
    form: 'grades',
    choice: (choice, key) => choice.replace(/[^,:]+(?=:)/g, key),
    settings: (definition) => definition as CountSettings,
  },
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
    const kept = weight === undefined ? translated : `${translated}|w${weight}`;
    tally.set(kept, (tally.get(kept) ?? 0) + heads);
  }
  const names = uniqueNames(definition.options.map(({ label }) => label));
  const { method, seats, rules, quota, decimals, completion, variant, max } = kind.settings(definition);
  return {
    title: definition.title,
    seats,
    candidates: names,
    withdrawn: [],
    form: kind.form,
    tally,
    blank: 0,
    notes: [],
    declared: {
      ...{ method, seats, rules, quota, decimals, completion, variant, max },
      tieBreak: definition.tieBreak,
      lot: record.lot?.map((key) => names[definition.options.findIndex((option) => option.key === key)] ?? key),
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
